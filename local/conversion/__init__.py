"""Files as people have them, turned into the rows that the service trains on.

`Converter` reads what a file is (`unpacked`: container and encoding), its rows (`tables`, `json_rows`), whose format
they have (`formats`), and makes each into `messages` and `reference_answer`. What a format carries is kept, told
(`notes`), or refused by its name (`fault`).
"""

from local.conversion.convert import Conversion, Converter, convert
from local.conversion.fault import ConversionError
from local.conversion.formats import Source

__all__ = ["Conversion", "ConversionError", "Converter", "Source", "convert"]
