#!/usr/bin/env python3
"""Writes pv.csv: the mean power of a photovoltaic plant of 1 kWp, by month and quarter hour of UTC.

Everything is computed from published formulas, nothing is measured (see README.md):
  position of the sun   Cooper's declination, Spencer's equation of time
  air mass              Kasten and Young, 1989
  clear-sky beam        Meinel and Meinel, 1976: 1353 W/m2 * 0.7 ** (AM ** 0.678)
  diffuse               a tenth of the beam, isotropic sky
and scaled with one factor for weather and losses, so that a year gives 1,000 kWh per kWp.
"""

import math
import sys

LATITUDE, LONGITUDE = 51.0, 10.0  # the middle of Germany
TILT, AZIMUTH = 35.0, 0.0  # facing south
YEARLY_KWH = 1000.0
MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
LENGTHS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]


def irradiance(day, hour_utc):
    """W/m2 on the tilted plane under a clear sky, at a day of the year and an hour of UTC."""
    declination = math.radians(23.45) * math.sin(2 * math.pi * (284 + day) / 365)
    b = 2 * math.pi * (day - 1) / 365
    equation_min = 229.18 * (
        0.000075
        + 0.001868 * math.cos(b)
        - 0.032077 * math.sin(b)
        - 0.014615 * math.cos(2 * b)
        - 0.040849 * math.sin(2 * b)
    )
    solar_hour = hour_utc + LONGITUDE / 15 + equation_min / 60
    angle = math.radians(15 * (solar_hour - 12))
    latitude, tilt, azimuth = map(math.radians, (LATITUDE, TILT, AZIMUTH))
    sin_height = math.sin(latitude) * math.sin(declination) + math.cos(latitude) * math.cos(
        declination
    ) * math.cos(angle)
    if sin_height <= 0:
        return 0.0
    height = math.degrees(math.asin(sin_height))
    air_mass = 1 / (sin_height + 0.50572 * (height + 6.07995) ** -1.6364)
    beam = 1353 * 0.7 ** (air_mass**0.678)
    incidence = (
        math.sin(declination) * math.sin(latitude) * math.cos(tilt)
        - math.sin(declination) * math.cos(latitude) * math.sin(tilt) * math.cos(azimuth)
        + math.cos(declination) * math.cos(latitude) * math.cos(tilt) * math.cos(angle)
        + math.cos(declination)
        * math.sin(latitude)
        * math.sin(tilt)
        * math.cos(azimuth)
        * math.cos(angle)
        + math.cos(declination) * math.sin(tilt) * math.sin(azimuth) * math.sin(angle)
    )
    return beam * max(0.0, incidence) + 0.1 * beam * (1 + math.cos(tilt)) / 2


def month_table():
    """Mean W/m2 of each month's days, for the 96 quarter hours; 15 samples in each."""
    table, day = [], 0
    for length in LENGTHS:
        quarters = []
        for quarter in range(96):
            samples = [
                irradiance(day + number, (quarter + (minute + 0.5) / 15) / 4)
                for number in range(1, length + 1)
                for minute in range(15)
            ]
            quarters.append(sum(samples) / len(samples))
        table.append(quarters)
        day += length
    return table


def main():
    table = month_table()
    clear_kwh = sum(sum(month) / 4 / 1000 * length for month, length in zip(table, LENGTHS))
    factor = YEARLY_KWH / clear_kwh
    print(f"clear sky: {clear_kwh:.0f} kWh/m2, factor {factor:.4f}", file=sys.stderr)
    print("time," + ",".join(MONTHS))
    for quarter in range(96):
        watts = (f"{month[quarter] * factor:.1f}" for month in table)
        print(f"{quarter // 4:02d}:{quarter % 4 * 15:02d}," + ",".join(watts))


main()
