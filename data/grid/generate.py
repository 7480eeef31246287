#!/usr/bin/env python3
"""Makes the synthetic grid data beside this script: two weeks of load and prices.

Everything is computed from the tables below, zones.csv and the published BDEW standard load
profiles (package demandlib); nothing is random and nothing is fetched, so every run writes the
same bytes:

    python3 -m venv venv && venv/bin/pip install -r requirements.txt
    venv/bin/python generate.py            # writes beside this script
    venv/bin/python generate.py --check    # compares instead, exits with 1 on a difference

README.md says what the data is, and what it is not.
"""

import argparse
import csv
import hashlib
import sys
from datetime import date, datetime, timedelta, timezone
from fractions import Fraction
from pathlib import Path
from zoneinfo import ZoneInfo

HERE = Path(__file__).resolve().parent
FIRST_DAY, DAYS = date(2025, 3, 24), 14
NOTICE = "Synthetic data: BDEW standard load profiles scaled to rounded annual totals. Not measured, not published by ENTSO-E."

# TWh a year (README.md: sources), and the mix of profiles in percent:
# household h0, trade g0, continuous trade and industry g3, agriculture l0.
NORTH, MIXED, INDUSTRY, SOUTH = (38, 22, 38, 2), (28, 27, 42, 3), (18, 22, 58, 2), (36, 32, 29, 3)
ZONES = {
    "AL": (7.9, SOUTH), "AT": (65.0, MIXED), "BA": (11.5, SOUTH), "BE": (79.0, MIXED),
    "BG": (36.5, SOUTH), "CH": (60.5, MIXED), "CY": (5.3, SOUTH), "CZ": (62.0, MIXED),
    "DE-LU": (470.0, MIXED), "DK1": (22.0, MIXED), "DK2": (13.5, NORTH), "EE": (8.1, NORTH),
    "ES": (232.0, SOUTH), "FI": (82.0, INDUSTRY), "FR": (442.0, NORTH), "GR": (51.0, SOUTH),
    "HR": (18.2, SOUTH), "HU": (44.5, MIXED), "IE-SEM": (42.0, NORTH),
    "IT-CALA": (6.0, SOUTH), "IT-CNOR": (31.5, MIXED), "IT-CSUD": (48.0, SOUTH),
    "IT-NORD": (172.0, MIXED), "IT-SARD": (8.6, SOUTH), "IT-SICI": (18.4, SOUTH),
    "IT-SUD": (25.0, SOUTH), "LT": (12.2, MIXED), "LV": (7.0, NORTH), "ME": (3.2, SOUTH),
    "MK": (6.6, SOUTH), "NL": (112.0, MIXED), "NO1": (36.0, NORTH), "NO2": (38.0, INDUSTRY),
    "NO3": (28.0, INDUSTRY), "NO4": (19.5, INDUSTRY), "NO5": (16.0, INDUSTRY),
    "PL": (168.0, MIXED), "PT": (51.0, SOUTH), "RO": (52.5, MIXED), "RS": (34.0, SOUTH),
    "SE1": (10.5, INDUSTRY), "SE2": (15.5, INDUSTRY), "SE3": (83.0, NORTH), "SE4": (23.0, NORTH),
    "SI": (12.9, MIXED), "SK": (26.0, INDUSTRY), "XK": (6.2, SOUTH),
}
# Resolutions as these zones publish them; all others hourly.
MINUTES = {zone: 15 for zone in ("AT", "BE", "DE-LU", "HU", "NL", "RO")} | {"CY": 30, "IE-SEM": 30}
# Zones whose documents state every point (curve A01) instead of changes only (A03).
EVERY_POINT = {"PL", "SE3", "NL"}

MISSING = {("MK", date(2025, 3, 27))}  # the platform has no data: acknowledgement 999
HOLE = {("GR", date(2025, 4, 1)): (10, 13)}  # hours of the day without a figure
# Documents with the day before and after as well, as the platform often answers.
WIDE = {("FR", date(2025, 3, 26)), ("SI", date(2025, 3, 30))}

# The policy that expected.csv follows: the defaults, and a first supply of 75 million AICP.
ALPHA, TARGET_PRICE, CR_MIN, CR_MAX, CAP = (
    Fraction(18, 100), Fraction(3, 2), Fraction(11, 10), Fraction(12, 10), Fraction(5, 100))
FIRST_SUPPLY = 75_000_000 * 10**6  # micro-tokens
# Coverage ratio of the first day, and the reserve of each day in percent of the first day's.
FIRST_RATIO = Fraction(1195, 1000)
RESERVE = [100, 100, 108, 101, 106, 95, 100, 116, 112, 105, 97, 110, 120, 125]
# Price by hour of the day, per mille of the mean: a spring day with solar power.
PRICE_SHAPE = [900, 850, 820, 810, 840, 960, 1210, 1420, 1380, 1100, 860, 700,
               580, 520, 560, 740, 980, 1280, 1560, 1640, 1460, 1240, 1080, 960]
SUNDAY_SHAPE = [1150, 1090, 1060, 1050, 1060, 1090, 1150, 1180, 1060, 760, 400, 120,
                -60, -160, -120, 180, 700, 1420, 2080, 2260, 2020, 1760, 1520, 1300]


def wobble(*key, per_mille):
    """A fixed number for `key`, spread over ±per_mille, in millionths."""
    digest = hashlib.sha256("|".join(map(str, key)).encode()).digest()
    return int.from_bytes(digest[:8], "big") % (2000 * per_mille + 1) - 1000 * per_mille


class Profiles:
    """Share of a year's energy that a quarter hour of 2025 draws, in units of 10⁻¹⁵."""

    def __init__(self):
        # Only here, so that the development chain makes further days without the package.
        from demandlib import bdew

        frame = bdew.ElecSlp(2025, holidays=[]).slp_frame
        self.shares = {}
        for column in ("h0_dyn", "g0", "g3", "l0"):
            values = frame[column].to_numpy()
            self.shares[column] = [round(float(v) / float(values.sum()) * 10**15) for v in values]

    def share(self, wall, mix):
        """Of the quarter hour that starts at the local wall-clock time `wall`."""
        index = int((wall - datetime(2025, 1, 1)).total_seconds()) // 900
        columns = ("h0_dyn", "g0", "g3", "l0")
        return sum(self.shares[c][index] * weight for c, weight in zip(columns, mix)) // 100


def window(day, zone):
    """First minute of the local day and of the next one, in UTC."""
    def start(of):
        return datetime(of.year, of.month, of.day, tzinfo=ZoneInfo(zone)).astimezone(timezone.utc)
    return start(day), start(day + timedelta(days=1))


def load_slots(profiles, zone, tz, start, end):
    """Whole megawatts for every slot from `start` to `end`."""
    twh, mix = ZONES[zone]
    minutes = MINUTES.get(zone, 60)
    slots, at = [], start
    while at < end:
        quarters = []
        for quarter in range(minutes // 15):
            instant = at + timedelta(minutes=15 * quarter)
            wall = instant.astimezone(ZoneInfo(tz)).replace(tzinfo=None)
            quarters.append(profiles.share(wall, mix))
        # Watt-hours a quarter hour are share · 10⁻¹⁵ · TWh · 10¹²; megawatts four times 10⁻⁶ that.
        mean = Fraction(sum(quarters), len(quarters)) * Fraction(str(twh)) * 4 / 10**9
        day_factor = wobble("day", zone, at.date(), per_mille=25)
        slot_factor = wobble("slot", zone, at.isoformat(), per_mille=4)
        slots.append(round(mean * (10**6 + day_factor + slot_factor) / 10**6))
        at += timedelta(minutes=minutes)
    return slots


def stamp(at):
    return at.strftime("%Y-%m-%dT%H:%MZ")


def points(slots, figure, every):
    """Points of a curve: all of them, or (A03) only where the figure changes."""
    lines = []
    for index, value in enumerate(slots):
        if every or index == 0 or value != slots[index - 1]:
            lines.append(
                f"<Point><position>{index + 1}</position><{figure}>{value}</{figure}></Point>")
    return "\n".join(lines)


def period(start, minutes, slots, figure, every):
    end = start + timedelta(minutes=minutes * len(slots))
    return (f"<Period>\n<timeInterval><start>{stamp(start)}</start><end>{stamp(end)}</end>"
            f"</timeInterval>\n<resolution>PT{minutes}M</resolution>\n"
            f"{points(slots, figure, every)}\n</Period>")


def mrid(*key):
    return hashlib.sha256("|".join(map(str, key)).encode()).hexdigest()[:32]


def head(day):
    party = '<{0}_MarketParticipant.mRID codingScheme="A01">10X1001A1001A450</{0}_MarketParticipant.mRID>\n' \
            "<{0}_MarketParticipant.marketRole.type>{1}</{0}_MarketParticipant.marketRole.type>\n"
    created = datetime(day.year, day.month, day.day, 6) + timedelta(days=2)
    return (party.format("sender", "A32") + party.format("receiver", "A33")
            + f"<createdDateTime>{created:%Y-%m-%dT%H:%M:%SZ}</createdDateTime>\n")


def load_document(zone, eic, day, periods, interval):
    curve = "A01" if zone in EVERY_POINT else "A03"
    body = "\n".join(periods)
    return (f'<?xml version="1.0" encoding="utf-8"?>\n<!-- {NOTICE} -->\n'
            '<GL_MarketDocument xmlns="urn:iec62325.351:tc57wg16:451-6:generationloaddocument:3:0">\n'
            f"<mRID>{mrid('load', zone, day)}</mRID>\n<revisionNumber>1</revisionNumber>\n"
            "<type>A65</type>\n<process.processType>A16</process.processType>\n"
            f"{head(day)}<time_Period.timeInterval><start>{stamp(interval[0])}</start>"
            f"<end>{stamp(interval[1])}</end></time_Period.timeInterval>\n"
            "<TimeSeries>\n<mRID>1</mRID>\n<businessType>A04</businessType>\n"
            "<objectAggregation>A01</objectAggregation>\n"
            f'<outBiddingZone_Domain.mRID codingScheme="A01">{eic}</outBiddingZone_Domain.mRID>\n'
            "<quantity_Measure_Unit.name>MAW</quantity_Measure_Unit.name>\n"
            f"<curveType>{curve}</curveType>\n{body}\n</TimeSeries>\n</GL_MarketDocument>\n")


def no_data(eic, day, interval):
    start, end = (at.strftime("%Y-%m-%dT%H:%M:%S.000Z") for at in interval)
    return (f'<?xml version="1.0" encoding="UTF-8"?>\n<!-- {NOTICE} -->\n'
            "<Acknowledgement_MarketDocument "
            'xmlns="urn:iec62325.351:tc57wg16:451-1:acknowledgementdocument:7:0">\n'
            f"<mRID>{mrid('ack', eic, day)}</mRID>\n{head(day)}"
            "<Reason>\n<code>999</code>\n<text>No matching data found for Data item Actual Total "
            f"Load [6.1.A] ({eic}) and interval {start}/{end}.</text>\n</Reason>\n"
            "</Acknowledgement_MarketDocument>\n")


def price_series(number, eic, sequence, body):
    element = "classificationSequence_AttributeInstanceComponent.position"
    stated = f"<{element}>{sequence}</{element}>\n" if sequence else ""
    return (f"<TimeSeries>\n<mRID>{number}</mRID>\n<auction.type>A01</auction.type>\n"
            "<businessType>A62</businessType>\n"
            f'<in_Domain.mRID codingScheme="A01">{eic}</in_Domain.mRID>\n'
            f'<out_Domain.mRID codingScheme="A01">{eic}</out_Domain.mRID>\n'
            "<contract_MarketAgreement.type>A01</contract_MarketAgreement.type>\n"
            "<currency_Unit.name>EUR</currency_Unit.name>\n"
            "<price_Measure_Unit.name>MWH</price_Measure_Unit.name>\n"
            f"{stated}<curveType>A03</curveType>\n{body}\n</TimeSeries>\n")


def price_document(zone, day, interval, series):
    return (f'<?xml version="1.0" encoding="utf-8"?>\n<!-- {NOTICE} -->\n'
            "<Publication_MarketDocument "
            'xmlns="urn:iec62325.351:tc57wg16:451-3:publicationdocument:7:3">\n'
            f"<mRID>{mrid('price', zone, day)}</mRID>\n<revisionNumber>1</revisionNumber>\n"
            f"<type>A44</type>\n{head(day)}<period.timeInterval><start>{stamp(interval[0])}</start>"
            f"<end>{stamp(interval[1])}</end></period.timeInterval>\n"
            f"{series}</Publication_MarketDocument>\n")


def prices(day, mean_cents, interval, tz):
    """Hourly prices in cents whose mean is `mean_cents` to the cent."""
    shape = SUNDAY_SHAPE if day.weekday() == 6 else PRICE_SHAPE
    hours, at = [], interval[0]
    while at < interval[1]:
        hours.append(shape[at.astimezone(ZoneInfo(tz)).hour])
        at += timedelta(hours=1)
    cents = [mean_cents * len(hours) * share // sum(hours) for share in hours]
    rest = mean_cents * len(hours) - sum(cents)
    for index in range(rest):
        cents[index] += 1
    assert sum(cents) == mean_cents * len(hours)
    return cents


def euros(cents):
    sign, size = ("-" if cents < 0 else ""), abs(cents)
    return f"{sign}{size // 100}.{size % 100:02}"


def read_zones():
    with open(HERE.parent / "zones.csv", newline="", encoding="utf-8") as file:
        return [(row["name"], row["eic"], row["timezone"]) for row in csv.DictReader(file)]


def load_files(files, profiles, zones, day):
    """Adds a day's load documents; returns the energy of the complete zones and their number."""
    energy, complete = 0, 0
    for zone, eic, tz in zones:
        start, end = window(day, tz)
        minutes = MINUTES.get(zone, 60)
        slots = load_slots(profiles, zone, tz, start, end)
        every = zone in EVERY_POINT
        name = f"{day}/load_{eic}.xml"
        if (zone, day) in MISSING:
            files[name] = no_data(eic, day, (start, end))
            continue
        if (zone, day) in HOLE:
            first, last = (hour * 60 // minutes for hour in HOLE[zone, day])
            later = start + timedelta(minutes=minutes * last)
            periods = [period(start, minutes, slots[:first], "quantity", every),
                       period(later, minutes, slots[last:], "quantity", every)]
        else:
            energy += sum(slots) * minutes * 10**6 // 60
            complete += 1
            shown = (start, end)
            if (zone, day) in WIDE:
                shown = (start - timedelta(days=1), end + timedelta(days=1))
            shown_slots = load_slots(profiles, zone, tz, *shown)
            periods = [period(shown[0], minutes, shown_slots, "quantity", every)]
        files[name] = load_document(zone, eic, day, periods, (start, end))
    return energy, complete


def price_files(files, zones, day, mean_cents):
    """Adds a day's price documents: DE-LU with two numbered auctions, FR with one."""
    for zone, eic, tz in zones:
        if zone not in ("DE-LU", "FR"):
            continue
        interval = window(day, tz)
        mean = mean_cents if zone == "DE-LU" else mean_cents * 9 // 10
        hourly = [euros(cents) for cents in prices(day, mean, interval, tz)]
        first = period(interval[0], 60, hourly, "price.amount", False)
        series = price_series(1, eic, 1 if zone == "DE-LU" else None, first)
        if zone == "DE-LU":
            # An earlier auction of the same day, in quarter hours: sequence 2.
            earlier = prices(day, mean + 137, interval, tz)
            quarters = [euros(cents + step) for cents in earlier for step in (-210, -70, 90, 190)]
            second = period(interval[0], 15, quarters, "price.amount", False)
            series += price_series(2, eic, 2, second)
        files[f"{day}/price_{eic}.xml"] = price_document(zone, day, interval, series)


def policy(commit, mean_cents, supply):
    """One day of the coverage policy, in exact fractions."""
    reserve = Fraction(commit, 10**6) * Fraction(mean_cents, 100) * 10**6  # micro-EUR
    ratio = reserve / (TARGET_PRICE * supply)
    if ratio < 1:
        state = "defense"
    elif ratio < CR_MIN:
        state = "freeze"
    else:
        state = "in_band" if ratio <= CR_MAX else "above_band"
    mint = 0
    if ratio >= CR_MIN:
        target = reserve / (TARGET_PRICE * CR_MIN)
        mint = int(max(Fraction(0), min(target - supply, CAP * supply)))
    return int(ratio * 10**6), state, mint


def build():
    """All files, by name."""
    files, profiles, zones = {}, Profiles(), read_zones()
    assert [zone for zone, _, _ in zones] == sorted(ZONES), "zones.csv and ZONES differ"
    days = [FIRST_DAY + timedelta(days=index) for index in range(DAYS)]
    rows, supply = [], FIRST_SUPPLY
    for index, day in enumerate(days):
        energy, complete = load_files(files, profiles, zones, day)
        alpha = ALPHA * Fraction(complete, len(zones))
        commit = int(energy * alpha)
        # The price, to the cent, that makes the day's reserve what the story needs.
        first = Fraction(FIRST_SUPPLY, 10**6) * TARGET_PRICE * FIRST_RATIO
        wanted = first * Fraction(RESERVE[index], 100)
        mean_cents = round(wanted / Fraction(commit, 10**6) * 100)
        price_files(files, zones, day, mean_cents)
        ratio, state, mint = policy(commit, mean_cents, supply)
        supply += mint
        rows.append((day, complete, len(zones), energy, commit, euros(mean_cents), ratio, state,
                     mint, supply))
    header = ("day,zones_ok,zones_total,wh_dc_raw,wh_dc_commit,eur_per_mwh,cr_ppm_before_mint,"
              "state,mint_micro_aicp,supply_micro_aicp")
    files["expected.csv"] = "\n".join([header] + [",".join(map(str, row)) for row in rows]) + "\n"
    return files


def main():
    parser = argparse.ArgumentParser(description="Synthetic grid data.")
    parser.add_argument("--check", action="store_true", help="compare with what is there")
    arguments = parser.parse_args()
    files = build()
    if not arguments.check:
        for name, text in files.items():
            path = HERE / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text.encode())
        print(f"{len(files)} files, {sum(len(text.encode()) for text in files.values())} bytes")
        return 0
    wrong = [name for name, text in files.items()
             if not (HERE / name).is_file() or (HERE / name).read_bytes() != text.encode()]
    there = {str(path.relative_to(HERE)) for path in HERE.glob("20*/*.xml")}
    wrong += sorted(there - set(files))
    print(f"{len(files)} files compared, {len(wrong)} differ", *wrong[:10], sep="\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
