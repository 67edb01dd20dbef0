"""Units of measure and of money, so that `5 h` is five hours, and no five minutes.

A unit at the end of a value (or a currency in front of it) is taken off. Where the reference and the answer both have
one, they are compared: 120 minutes are two hours, five euros are not five dollars. Where only one has, it is dropped.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from tunedrop.graders.late_pattern import late

LONGEST = 60
"""Characters of the longest unit that is read."""
_MOST_TRIES = 8
_Measure = tuple[str, Fraction, int]
"""Dimension, size in its base unit, power of the dimension."""


def _rows(table: str) -> dict[str, _Measure]:
    """`dimension power size names…` a line; a size may be a fraction."""
    found: dict[str, _Measure] = {}
    for row in table.strip().splitlines():
        dimension, power, size, *names = row.split()
        for name in names:
            found[name.replace("_", " ")] = (dimension, Fraction(size), int(power))
    return found


_UNITS: Mapping[str, _Measure] = _rows(
    """
    length 1 1 m meter meters metre metres
    length 1 1/1000 mm millimeter millimeters millimetre millimetres
    length 1 1/100 cm centimeter centimeters centimetre centimetres
    length 1 1/10 dm decimeter decimeters decimetre decimetres
    length 1 1000 km kms kilometer kilometers kilometre kilometres
    length 1 1/1000000 µm μm um micrometer micrometers micron microns
    length 1 1/1000000000 nm nanometer nanometers nanometre nanometres
    length 1 127/5000 in inch inches
    length 1 381/1250 ft foot feet
    length 1 1143/1250 yd yds yard yards
    length 1 201168/125 mi mile miles
    mass 1 1/1000 g gm gms gram grams gramme grammes
    mass 1 1/1000000 mg milligram milligrams
    mass 1 1 kg kgs kilo kilos kilogram kilograms
    mass 1 1000 t tonne tonnes ton tons metric_ton metric_tons
    mass 1 45359237/100000000 lb lbs pound pounds
    mass 1 45359237/1600000000 oz ounce ounces
    time 1 1 s sec secs second seconds
    time 1 1/1000 ms msec millisecond milliseconds
    time 1 60 min mins minute minutes
    time 1 3600 h hr hrs hour hours
    time 1 86400 d day days
    time 1 604800 wk wks week weeks
    month 1 1 mo mos month months
    month 1 12 yr yrs year years
    length 3 1/1000 L l liter liters litre litres
    length 3 1/1000000 mL ml milliliter milliliters millilitre millilitres cc
    length 3 1/100000 cL cl centiliter centiliters centilitre centilitres
    length 3 1/10000 dL dl deciliter deciliters decilitre decilitres
    gallon 1 1 gal gals gallon gallons
    gallon 1 1/4 qt qts quart quarts
    gallon 1 1/8 pt pts pint pints
    gallon 1 1/16 cup cups
    gallon 1 1/128 fluid_ounce fluid_ounces fl_oz
    length 2 10000 ha hectare hectares
    acre 1 1 acre acres
    force 1 1 N newton newtons
    force 1 1000 kN kilonewton kilonewtons
    energy 1 1 J joule joules
    energy 1 1000 kJ kilojoule kilojoules
    calorie 1 1 cal calorie calories
    calorie 1 1000 kcal kilocalorie kilocalories
    power 1 1 W watt watts
    power 1 1000 kW kilowatt kilowatts
    voltage 1 1 V volt volts
    current 1 1 A amp amps ampere amperes
    resistance 1 1 Ω ohm ohms
    frequency 1 1 Hz hertz
    frequency 1 1000 kHz kilohertz
    frequency 1 1000000 MHz megahertz
    pressure 1 1 Pa pascal pascals
    pressure 1 1000 kPa kilopascal kilopascals
    temperature 1 1 K kelvin kelvins
    celsius 1 1 °C degree_celsius degrees_celsius degree_c degrees_c celsius
    fahrenheit 1 1 °F degree_fahrenheit degrees_fahrenheit degree_f degrees_f fahrenheit
    amount 1 1 mol mols mole moles
    byte 1 1 B byte bytes
    byte 1 1000 kB KB kilobyte kilobytes
    byte 1 1000000 MB megabyte megabytes
    byte 1 1000000000 GB gigabyte gigabytes
    angle 1 1 ° deg degree degrees
    dollar 1 1 $ US$ USD dollar dollars buck bucks
    dollar 1 1/100 ¢ cent cents
    EUR 1 1 € EUR euro euros
    GBP 1 1 £ GBP quid
    GBP 1 1/100 pence
    JPY 1 1 ¥ JPY yen
    CNY 1 1 CNY RMB yuan 元
    INR 1 1 ₹ INR Rs Rs. rupee rupees
    KRW 1 1 ₩ KRW won
    RUB 1 1 ₽ RUB ruble rubles rouble roubles
    CHF 1 1 CHF franc francs
    CAD 1 1 CAD C$ CA$
    AUD 1 1 AUD A$ AU$
    NZD 1 1 NZD NZ$
    HKD 1 1 HKD HK$
    SGD 1 1 SGD S$
    BRL 1 1 BRL R$ reais
    MXN 1 1 MXN peso pesos
    SEK 1 1 SEK kr krona kronor
    NOK 1 1 NOK kroner
    PLN 1 1 PLN zloty zlotys
    ZAR 1 1 ZAR rand rands
    TRY 1 1 TRY ₺ lira
    PHP 1 1 PHP Php ₱
    THB 1 1 THB ฿ baht
    NGN 1 1 NGN ₦ naira
    AED 1 1 AED dirham dirhams
    """
)
_COMPOUND: Mapping[str, str] = {
    "mph": "mi/h", "kph": "km/h", "kmph": "km/h", "kmh": "km/h", "mps": "m/s", "fps": "ft/s", "mpg": "mi/gal",
    "kWh": "kW h", "psi": "lb/in^2",
}  # fmt: skip
_DOLLARS = frozenset({"dollar", "CAD", "AUD", "NZD", "HKD", "SGD", "MXN"})
_ALSO_LETTERS = frozenset("ABCFadt")
"""Single letters that mostly are no units: they count only where LaTeX sets them upright, or behind another unit."""
_WORDS_IN_FRONT = {"square": 2, "sq": 2, "sq.": 2, "cubic": 3, "cu": 3}
_WORDS_BEHIND = {"squared": 2, "cubed": 3}
_SUPERSCRIPTS = str.maketrans(
    {"²": "^2", "³": "^3", "⁻": "^-", "¹": "1", "·": " ", "⋅": " ", "×": " ", "{": "", "}": ""}
)
_PART = late(r"\s*(?:(/|\bper\b)|([A-Za-z_µμΩ°€£¥₹₩₽₺₱฿₦¢$元]+\.?)(?:\^?\(?(-?[1-3])\)?)?(?![0-9]))\s*")
_TWO_WORDS = late(r"(degrees?|metric|fluid|fl)\s+(\w+)", re.IGNORECASE)
_CURRENCY_IN_FRONT = late(
    r"(\s*[-+−–]?)\s*((?:US|CA|AU|NZ|HK|A|C|S|R)?\$|[€£¥₹₩₽₺₱฿₦¢]|Rs\.?|RM|[A-Z]{3}(?![A-Za-z]))\s*(?=[-+−]?[\d.])"
)
_BEGINS = late(r"(?<=[\d)}\]½⅓⅔¼¾⅕⅖⅗⅘⅙⅚⅐⅛⅜⅝⅞⅑⅒πi.])(?<![A-Za-z]i)\s*(?=[A-Za-zµμΩ°€£¥₹₩₽₺₱฿₦¢元])")
_PLAIN = late(r"[\s\d.,/+−–-]*")
_LEADING = late(
    r"\s*([A-Za-zµμΩ°€£¥₹₩₽₺₱฿₦¢元][^\s,;:!?()]{0,24}(?:\s+(?:per|square|cubic|squared|cubed)\s+[A-Za-z]{1,14})?)"
)
_NO_UNIT_IN_FRONT_OF_WORDS = frozenset(
    {"in", "min", "m", "s", "g", "h", "l", "mo", "pt", "cup", "won", "second", "foot"}
)


_UPRIGHT_POWER = late(
    r"(\\(?:text|textrm|mathrm|mbox|rm|operatorname)\s{0,3}\{[^{}]{0,60}?)\s*\}\s*"
    r"(\^\s*(?:\{\s*-?\d\s*\}|-?\d))"
)
_UPRIGHT = late(r"\\(?:text|textrm|mathrm|mbox|rm|operatorname)\s{0,3}\{([^{}]{0,60})\}")
_CIRCLE = late(r"\^\s{0,2}\{?\s{0,2}(?:\\circ|\\degree|°)\s{0,2}\}?|\\degree\b")
_THIN_SPACE = late(r"\\[,;: !]|\\q?quad\b")


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit as powers of dimensions, and its size in their base units."""

    dimensions: tuple[tuple[str, int], ...]
    size: Fraction

    def per(self, other: Unit) -> Fraction | None:
        """How many of `other` one of this is; None where they measure different things."""
        if self.dimensions == other.dimensions or self._both_dollars(other):
            return self.size / other.size
        return Fraction(1) if self._both_pounds(other) else None

    def _both_dollars(self, other: Unit) -> bool:
        """`$5` may be any country's dollars; two that are named are two currencies."""
        if len(self.dimensions) != 1 or len(other.dimensions) != 1:
            return False
        mine, theirs = self.dimensions[0][0], other.dimensions[0][0]
        return "dollar" in (mine, theirs) and {mine, theirs} <= _DOLLARS

    def _both_pounds(self, other: Unit) -> bool:
        """`3 pounds` may be money as well as a mass."""
        sizes = {self.dimensions: self.size, other.dimensions: other.size}
        return sizes.get((("mass", 1),)) == _POUND and sizes.get((("GBP", 1),)) == 1


_POUND = Fraction(45359237, 100000000)


def split_unit(text: str, *, upright: bool = False, joined: bool = False) -> tuple[str, Unit | None]:
    """A value without its unit, and the unit; the text as it is where it has none.

    `upright`: LaTeX set the unit as text, so any letter may be one. `joined`: `5h` is a unit, too, and no formula.
    """
    front = _CURRENCY_IN_FRONT.match(text)
    if front is not None:
        unit = read_unit(front[2])
        if unit is not None:
            rest, again = split_unit(text[front.end() :], upright=upright, joined=joined)
            return front[1] + rest, unit if again is None or unit.per(again) is not None else again
    for tried, found in enumerate(_BEGINS.finditer(text)):
        if tried == _MOST_TRIES or len(text) - found.end() > LONGEST:
            if tried == _MOST_TRIES:
                break
            continue
        name = text[found.end() :].strip(" .")
        spaced = found.end() > found.start()
        body = text[: found.start()]
        single = len(name.rstrip("²³^23 ")) == 1
        if single and not upright and ((name[0] in _ALSO_LETTERS and not joined) or not _PLAIN.fullmatch(body)):
            continue
        if single and name.isalpha() and not (spaced or joined or upright):
            continue
        unit = read_unit(name)
        if unit is not None:
            return body, unit
    return text, None


def split_value(text: str, *, joined: bool = False) -> tuple[str, Unit | None]:
    """As `split_unit`, for plain text and for LaTeX, where the unit may be set as text (`5\\,\\mathrm{m}`)."""
    if "\\" not in text:
        return split_unit(text, joined=joined)
    powered = _UPRIGHT_POWER.sub(r"\1\2}", text.replace("\\$", "$").replace("~", " "))
    plain = _CIRCLE.sub("°", _UPRIGHT.sub(r" \1 ", powered))
    plain = _THIN_SPACE.sub(" ", plain)
    body, unit = split_unit(plain.strip(), upright=plain != text and _UPRIGHT.search(text) is not None, joined=joined)
    return (body.strip(), unit) if unit is not None else (text, None)


def leading_unit(text: str) -> Unit | None:
    """The unit that the text behind a number begins with, where more words follow: `minutes of rest`."""
    whole = read_unit(text.strip(" .\n")) if len(text) <= LONGEST else None
    if whole is not None:
        return whole
    found = _LEADING.match(text[:LONGEST])
    if found is None or found[1].rstrip(".,") in _NO_UNIT_IN_FRONT_OF_WORDS | _ALSO_LETTERS:
        return None
    return read_unit(found[1].rstrip(".,*_)")) or read_unit(found[1].split()[0].rstrip(".,*_)"))


_MEASURED = r"(\d[\d,]{0,12}(?:\.\d{1,6})?)\s{0,3}([A-Za-z]{1,12}\.?)"
_SEVERAL = late(rf"\s*{_MEASURED}(?:(?:\s*(?:,|&|\band\b))?\s*{_MEASURED}){{1,3}}\s*")


def combined(text: str) -> str:
    """`2 hours 30 minutes` as `150 minutes`; any other text as it is."""
    if len(text) > 2 * LONGEST or _SEVERAL.fullmatch(text) is None:
        return text
    parts = [(Fraction(number.replace(",", "")), name) for number, name in re.findall(_MEASURED, text)]
    units = [read_unit(name) for _, name in parts]
    smallest = units[-1]
    if smallest is None:
        return text
    total = Fraction(0)
    for (number, _), unit in zip(parts, units, strict=True):
        size = None if unit is None else unit.per(smallest)
        if size is None or size < 1:
            return text
        total += number * size
    return f"{total} {parts[-1][1]}"


@lru_cache(maxsize=2048)
def read_unit(text: str) -> Unit | None:
    """A unit as it is written: `km/h`, `m s^{-1}`, `square feet`, `degrees Celsius`, `USD`; None for anything else."""
    text = _COMPOUND.get(text, text).translate(_SUPERSCRIPTS).strip()
    if not text or len(text) > LONGEST:
        return None
    text = _TWO_WORDS.sub(r"\1_\2", text)
    powers: Counter[str] = Counter()
    size, sign, in_front, position, last = Fraction(1), 1, 1, 0, ""
    while position < len(text):
        part = _PART.match(text, position)
        if part is None:
            return None
        position = part.end()
        if part[1]:
            sign = -1
            continue
        name, power = part[2].replace("_", " "), int(part[3] or 1)
        if name.lower() in _WORDS_IN_FRONT:
            in_front = _WORDS_IN_FRONT[name.lower()]
            continue
        if name.lower() in _WORDS_BEHIND and last:
            power, name = _WORDS_BEHIND[name.lower()] - 1, last
        measure = _measure(name)
        if measure is None:
            return None
        dimension, each, own = measure
        exponent = sign * power * in_front
        powers[dimension] += own * exponent
        size *= each**exponent
        in_front, last = 1, name
    dimensions = tuple(sorted((name, power) for name, power in powers.items() if power))
    return Unit(dimensions, size) if dimensions else None


def _measure(name: str) -> _Measure | None:
    """The table's entry; a word of more than two letters may be written with capitals."""
    plain = name.rstrip(".")
    return _UNITS.get(name) or _UNITS.get(plain) or (_UNITS.get(plain.lower()) if len(plain) > 2 else None)
