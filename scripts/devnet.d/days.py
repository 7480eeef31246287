#!/usr/bin/env python3
"""Makes the grid data that the demonstration lives on: first the fortnight of data/grid, then a day for each day that
the chain runs, made from that fortnight.

    days.py --out DIR --today DAY [--supply MICRO_AICP] [--scenario NAME] [--seed TEXT]

Writes the days through the day after tomorrow that are missing, and deletes those that no chain takes any more. Which days it
made, and with what they end, is in DIR/book.json, so that every run continues. The same seed and scenario give the same
days.

A day's load is that of the same weekday of the fortnight, laid along the zone's own clock, with the season, and moved by
what the seed says: up to 2.5 % for the day and 0.4 % for the slot. Now and then a zone has no data. Its price is the one
with which the coverage ratio becomes what the scenario wants, as in the fortnight: so good weeks and bad ones follow
from prices and energy as on a real chain, and nothing else is staged.
"""

import argparse
import json
import re
import shutil
import sys
from datetime import date, datetime, timedelta, timezone
from fractions import Fraction
from pathlib import Path
from zoneinfo import ZoneInfo

GRID = Path(__file__).resolve().parent.parent.parent / "data" / "grid"
sys.path.insert(0, str(GRID))
import generate as fortnight  # noqa: E402

LAST_DAY = fortnight.FIRST_DAY + timedelta(days=fortnight.DAYS - 1)
AHEAD, KEPT = 2, 35
# What the issuer leaves of a day's allowance: 1,000 AICP in the fortnight, as its figures need; then this share of the
# supply, so that the ratio has room above CR_min and not every dip of the price is a freeze.
LEFT, LEFT_SHARE = 1_000 * 10**6, Fraction(4, 100)
# Coverage ratio before the mint from Monday to Sunday, in per mille. At 1,144 and above there is something to mint.
QUIET = (1120, 1126, 1131, 1128, 1134, 1130, 1124)
GOOD = (1124, 1131, 1139, 1145, 1141, 1136, 1145)
FREEZE = (1128, 1114, 1088, 1064, 1079, 1104, 1122)
DEFENSE = (1118, 1072, 1024, 982, 968, 1021, 1083)
RECOVERY = (1108, 1121, 1133, 1140, 1145, 1142, 1138)
# Weeks of a scenario, one after the other. Of several in brackets the seed chooses one.
SCENARIOS = {
    "calm": [[GOOD, QUIET]],
    "bad-weeks": [[FREEZE], [RECOVERY], [GOOD, QUIET], [FREEZE, DEFENSE], [RECOVERY], [QUIET, GOOD]],
    "crisis": [[DEFENSE], [RECOVERY], [FREEZE, DEFENSE], [RECOVERY]],
}
# Load of the month's middle against that of the fortnight, in per mille.
SEASON = (1130, 1110, 1040, 960, 920, 930, 950, 930, 950, 1000, 1070, 1120)
# The chain believes a price half as much again, or less than two thirds, of the day before; this stays within.
STEP = Fraction(145, 100)
HIGHEST_CENTS = 90_000


def draw(count, *key):
    """A number below `count`, always the same for `key`."""
    return fortnight.wobble(*key, per_mille=1000) % count


def season(day):
    """Of a day, in millionths: from one month's middle to the next in a straight line."""
    middle = day.replace(day=15)
    if day < middle:
        before = (middle - timedelta(days=28)).replace(day=15)
    else:
        before, middle = middle, (middle + timedelta(days=28)).replace(day=15)
    share = Fraction((day - before).days, (middle - before).days)
    one, other = SEASON[before.month - 1], SEASON[middle.month - 1]
    return int((one + (other - one) * share) * 1000)


def wanted(scenario, seed, day):
    """The coverage ratio that the scenario wants before the day's mint, in millionths."""
    index = (day - LAST_DAY).days - 1
    weeks = SCENARIOS[scenario]
    choice = weeks[index // 7 % len(weeks)]
    week = choice[draw(len(choice), seed, scenario, "week", index // 7)]
    return week[index % 7] * 1000 + fortnight.wobble(seed, scenario, "ratio", day, per_mille=1)


def curve(text):
    """Megawatts by the UTC minute at which they begin, and minutes of a slot."""
    figures, minutes = {}, 60
    for body in re.findall(r"<Period>(.*?)</Period>", text, re.S):
        start, end = (datetime.strptime(at, "%Y-%m-%dT%H:%MZ").replace(tzinfo=timezone.utc)
                      for at in re.search(r"<start>(.*?)</start><end>(.*?)</end>", body).groups())
        minutes = int(re.search(r"<resolution>PT(\d+)M<", body).group(1))
        points = {int(at): int(value) for at, value in
                  re.findall(r"<position>(\d+)</position><quantity>(\d+)</quantity>", body)}
        value = 0
        for position in range(1, int((end - start).total_seconds()) // 60 // minutes + 1):
            value = points.get(position, value)
            figures[start + timedelta(minutes=minutes * (position - 1))] = value
    return figures, minutes


def source(zone, eic, tz, day):
    """Megawatts of the same weekday of the fortnight by wall-clock time, minutes of a slot, and that weekday's date."""
    index = (day - fortnight.FIRST_DAY).days % fortnight.DAYS
    model = fortnight.FIRST_DAY + timedelta(days=index)
    if (zone, model) in fortnight.MISSING or (zone, model) in fortnight.HOLE:
        model = fortnight.FIRST_DAY + timedelta(days=(index + 7) % fortnight.DAYS)
    figures, minutes = curve((GRID / str(model) / f"load_{eic}.xml").read_text(encoding="utf-8"))
    walls = {}
    for at, value in figures.items():
        wall = at.astimezone(ZoneInfo(tz))
        if wall.date() == model:
            walls[wall.hour * 60 + wall.minute] = value
    return walls, minutes, model


def slots(zone, eic, tz, day, seed):
    """Whole megawatts of the day, and minutes of a slot."""
    walls, minutes, model = source(zone, eic, tz, day)
    factor = Fraction(season(day), season(model))
    start, end = fortnight.window(day, tz)
    found, at, value = [], start, next(iter(walls.values()))
    day_wobble = fortnight.wobble(seed, "day", zone, day, per_mille=25)
    while at < end:
        wall = at.astimezone(ZoneInfo(tz))
        # The hour that the model's day did not have is like the one before it.
        value = walls.get(wall.hour * 60 + wall.minute, value)
        moved = 10**6 + day_wobble + fortnight.wobble(seed, "slot", zone, at, per_mille=4)
        found.append(round(value * factor * moved / 10**6))
        at += timedelta(minutes=minutes)
    return found, minutes


def load_files(files, zones, day, seed):
    """Adds a day's load documents; returns the energy of the complete zones and their number."""
    energy, complete = 0, 0
    silent = draw(len(zones) * 10, seed, "silent", day)
    for index, (zone, eic, tz) in enumerate(zones):
        interval = fortnight.window(day, tz)
        name = f"load_{eic}.xml"
        if index == silent:
            files[name] = fortnight.no_data(eic, day, interval)
            continue
        figures, minutes = slots(zone, eic, tz, day, seed)
        energy += sum(figures) * minutes * 10**6 // 60
        complete += 1
        period = fortnight.period(interval[0], minutes, figures, "quantity", zone in fortnight.EVERY_POINT)
        files[name] = fortnight.load_document(zone, eic, day, [period], interval)
    return energy, complete


def minted(commit, cents, supply, left):
    """State of a day and what the issuer mints on it."""
    _, state, allowance = fortnight.policy(commit, cents, supply)
    return state, max(0, allowance - left)


def first_book():
    """The supply and the price with which the fortnight ends."""
    supply, cents = fortnight.FIRST_SUPPLY, 0
    for line in (GRID / "expected.csv").read_text(encoding="utf-8").splitlines()[1:]:
        row = line.split(",")
        cents = round(Fraction(row[5]) * 100)
        supply += minted(int(row[4]), cents, supply, LEFT)[1]
    return {"day": str(LAST_DAY), "supply": supply, "cents": cents}


def make(out, zones, day, book, scenario, seed):
    """Writes a day, and returns the book with which the next one begins."""
    files = {}
    energy, complete = load_files(files, zones, day, seed)
    commit = int(energy * fortnight.ALPHA * Fraction(complete, len(zones)))
    ratio = Fraction(wanted(scenario, seed, day), 10**6)
    reserve = ratio * fortnight.TARGET_PRICE * Fraction(book["supply"], 10**6)
    cents = round(reserve / Fraction(commit, 10**6) * 100)
    lowest, highest = book["cents"] / STEP, book["cents"] * STEP
    cents = min(max(cents, int(lowest) + 1), int(highest), HIGHEST_CENTS)
    named = {}
    fortnight.price_files(named, zones, day, cents)
    files |= {name.split("/")[1]: text for name, text in named.items()}
    place(out, day, files)
    state, mint = minted(commit, cents, book["supply"], int(LEFT_SHARE * book["supply"]))
    print(f"{day}  {complete} zones, {cents / 100:.2f} EUR/MWh, wanted CR {float(ratio):.3f}: {state}", flush=True)
    return {"day": str(day), "supply": book["supply"] + mint, "cents": cents}


def place(out, day, files):
    """The day is there whole or not at all."""
    new = out / f".{day}"
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(parents=True)
    for name, text in files.items():
        (new / name).write_text(text, encoding="utf-8")
    shutil.rmtree(out / str(day), ignore_errors=True)
    new.rename(out / str(day))


def copy_fortnight(out):
    for index in range(fortnight.DAYS):
        day = fortnight.FIRST_DAY + timedelta(days=index)
        place(out, day, {path.name: path.read_text(encoding="utf-8") for path in (GRID / str(day)).glob("*.xml")})


def main():
    parser = argparse.ArgumentParser(description="Grid data for as many days as a chain runs.")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--today", type=date.fromisoformat, required=True, help="the chain's day")
    parser.add_argument("--supply", type=int, help="the chain's supply in micro-AICP; it replaces ours when 1 %% lies between them")
    parser.add_argument("--scenario", choices=SCENARIOS, default="bad-weeks")
    parser.add_argument("--seed", default="")
    arguments = parser.parse_args()
    out, path = arguments.out, arguments.out / "book.json"
    if not path.exists():
        copy_fortnight(out)
        book = first_book()
    else:
        book = json.loads(path.read_text(encoding="utf-8"))
    last = date.fromisoformat(book["day"])
    if arguments.supply and arguments.today > last and abs(arguments.supply - book["supply"]) * 100 > book["supply"]:
        book["supply"] = arguments.supply
    zones = fortnight.read_zones()
    # After a long stop, only the days are made that the chain still takes.
    day = max(last + timedelta(days=1), arguments.today - timedelta(days=31))
    while day <= arguments.today + timedelta(days=AHEAD):
        if day > LAST_DAY:
            book = make(out, zones, day, book, arguments.scenario, arguments.seed)
        day += timedelta(days=1)
    new = out / "book.json.new"
    new.write_text(json.dumps(book, indent=2) + "\n", encoding="utf-8")
    new.rename(path)
    for folder in out.glob("2*-*-*"):
        if date.fromisoformat(folder.name) < arguments.today - timedelta(days=KEPT):
            shutil.rmtree(folder)


if __name__ == "__main__":
    main()
