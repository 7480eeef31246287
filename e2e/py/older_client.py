"""A client of the older kWh-BTC-IoT gateway: the payload and the calls that its documents show.

    python older_client.py API SITE DEVICE METER DAY

It knows nothing that came later: no tree size, no credentials, no paging.
"""

import json
import sys
import urllib.error
import urllib.request


def call(method, url, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def log(site, device, meter, day, minute, energy):
    return {
        "schema_version": "emlog-1.1",
        "site_id": site,
        "iot_device_id": device,
        "meter_id": meter,
        "ts_start": f"{day}T10:{minute:02}:00Z",
        "ts_end": f"{day}T10:{minute + 5:02}:00Z",
        "interval_s": 300,
        "energy_kwh": energy,
        "power_kw_avg": round(energy * 12, 2),
        "status": "ok",
        "tags": ["peak"],
        "tx": {
            "unit": "sats",
            "price_sats_per_kwh": 100,
            "amount_sats": int(round(energy * 100)),
            "channel": "ln",
            "settlement_status": "pending",
            "ln_invoice_id": None,
            "bitcoin_txid": None,
        },
    }


def main(api, site, device, meter, day):
    status, health = call("GET", f"{api}/health")
    assert status == 200 and health["status"] == "ok" and "time" in health, health
    sent = [log(site, device, meter, day, 5 * n, energy) for n, energy in enumerate([12.34, 5.0, 0.3])]
    posted = []
    for payload in sent:
        status, answer = call("POST", f"{api}/api/v1/logs", payload)
        assert status == 200, answer
        assert {key: answer[key] for key in payload} == payload, answer
        assert answer["id"].startswith("log_") and len(answer["id"]) == 16, answer["id"]
        assert answer["batch_id"] is None and len(answer["leaf_hash"]) == 64, answer
        posted.append(answer)
    status, logs = call("GET", f"{api}/api/v1/logs")
    assert status == 200 and all(entry in logs for entry in posted), logs

    status, batch = call("POST", f"{api}/api/v1/batches/flush")
    assert status == 200, batch
    assert batch["log_ids"] == [entry["id"] for entry in posted], batch
    assert batch["log_count"] == 3 and len(batch["merkle_root"]) == 64, batch
    assert batch["anchor_status"] == "pending" and batch["created_at"], batch
    for name in ("txid", "block_hash", "block_height", "block_time"):
        assert batch[f"anchor_{name}"] is None, batch
    status, again = call("POST", f"{api}/api/v1/batches/flush")
    assert status == 400, again

    status, batches = call("GET", f"{api}/api/v1/batches")
    assert status == 200 and batch["id"] in [entry["id"] for entry in batches], batches
    for index, entry in enumerate(posted):
        status, proof = call("GET", f"{api}/api/v1/logs/{entry['id']}/proof")
        assert status == 200, proof
        assert proof["log_id"] == entry["id"] and proof["batch_id"] == batch["id"], proof
        assert proof["leaf_hash"] == entry["leaf_hash"], proof
        assert proof["merkle_root"] == batch["merkle_root"] and proof["index"] == index, proof
        for step in proof["proof"]:
            assert step["position"] in ("left", "right") and len(step["hash"]) == 64, step
    status, export = call("GET", f"{api}/api/v1/batches/{batch['id']}/export")
    assert status == 200 and export["batch"]["id"] == batch["id"], export
    assert [entry["id"] for entry in export["logs"]] == batch["log_ids"], export
    status, missing = call("GET", f"{api}/api/v1/logs/log_000000000000/proof")
    assert status == 404, missing
    print(json.dumps({"batch": batch["id"], "logs": batch["log_ids"]}))


if __name__ == "__main__":
    main(*sys.argv[1:])
