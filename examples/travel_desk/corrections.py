"""What the sources of the travel desk leave open or get wrong, mended cell by cell.

Every table here is small, is listed in ``data/SOURCES.md``, and wins over the source that it mends.
"""

from __future__ import annotations

# ISO 3166-1 alpha-3 codes of the two observer states; the other rows are the members of the United Nations.
OBSERVERS = ("PSE", "VAT")

# How country-json spells a country whose common name in mledoze/countries is another.
SPELLINGS: dict[str, tuple[str, ...]] = {
    "CPV": ("Cabo Verde",),
    "COD": ("The Democratic Republic of Congo",),
    "CZE": ("Czech Republic",),
    "FJI": ("Fiji Islands",),
    "FSM": ("Micronesia, Federated States of",),
    "STP": ("Sao Tome and Principe",),
    "TLS": ("East Timor",),
    "TUR": ("Turkey",),
    "VAT": ("Holy See (Vatican City State)",),
}

# country-json's population is the World Bank's figure for 2018 in 189 rows. These are not; Eritrea's is a
# slip of one digit (6213972 for the 3213972 of 2011). The World Bank's figure for 2018 replaces them; it has none for
# the Vatican.
POPULATION: dict[str, tuple[int, int]] = {
    "CPV": (543767, 2018),
    "ERI": (3192760, 2018),
    "MKD": (2082958, 2018),
    "MNE": (622227, 2018),
    "SRB": (6982604, 2018),
    "VAT": (825, 2019),
}
POPULATION_YEAR = 2018

CAPITAL = {"SWZ": "Mbabane"}  # mledoze: Lobamba, the seat of parliament; both others: Mbabane
NO_NAMES = ("real", "mark", "sterling", "dram", "guaraní", "som", "soʻm")
"""Last words of currencies that name none by themselves: words of English, a language, and two that are typed alike."""

CAPITAL_ALIASES = {
    "USA": ("Washington", "Washington DC"),
    "MNG": ("Ulaanbaatar",),
    "MMR": ("Nay Pyi Taw",),
    "UKR": ("Kiev",),
    "SMR": ("San Marino City",),
}
DRIVING_SIDE = {"VUT": "right"}  # country-json says left; Vanuatu drives on the right
CURRENCY = {"PSE": "ILS"}  # ISO 4217 names none ("No universal currency")
CURRENCY_NAMES = {
    "SLE": "Sierra Leonean leone",
    "ZWG": "Zimbabwe Gold",
    "VES": "Venezuelan bolívar",
    "GBP": "Pound sterling",
}

# Borders that the source names on one side only: India and Sri Lanka are parted by the sea.
NO_BORDER = frozenset({("LKA", "IND")})

# Variants of one language under one name, so that speakers meet; and languages called like a country.
LANGUAGES = {
    "Austro-Bavarian German": "German",
    "Swiss German": "German",
    "Moldavian": "Romanian",
    "Norwegian Bokmål": "Norwegian",
    "Norwegian Nynorsk": "Norwegian",
    "Persian (Farsi)": "Persian",
    "Nauru": "Nauruan",
    "Tonga": "Chitonga",
}

# Regions that are called like a country, or like several of them together.
REGIONS = {"Micronesia": "Micronesian islands", "Australia and New Zealand": "Australasia"}

# Names that people use for a country and the sources lack; further down, spellings of the sources that mean
# something else in English.
ALIASES: dict[str, tuple[str, ...]] = {
    "GBR": ("Britain",),
    "USA": ("US", "America"),
    "SWZ": ("Swaziland",),
    "CIV": ("Cote d'Ivoire",),
    "COG": ("Republic of the Congo",),
    "MKD": ("Macedonia",),
    "KOR": ("Republic of Korea",),
    "BIH": ("Bosnia",),
}
NOT_ALIASES = frozenset(
    {
        "Island",
        "Mexicanos",
        "Portuguesa",
        "Prathet",
        "Viti",
        "Dominique",
        "Saudi",
        "Lao",
        "Ngwane",
        "Sarnam",
        "Timor",
        "Emirates",
    }
)
ACRONYMS = frozenset({"UAE", "UK", "US", "USA", "DRC", "DPRK"})

# Names that take the article inside a sentence.
ARTICLE = frozenset(
    {
        "Bahamas",
        "Central African Republic",
        "Comoros",
        "Dominican Republic",
        "DR Congo",
        "Gambia",
        "Maldives",
        "Marshall Islands",
        "Netherlands",
        "Philippines",
        "Seychelles",
        "Solomon Islands",
        "United Arab Emirates",
        "United Kingdom",
        "United States",
    }
)
PLURAL = frozenset(
    {
        "Bahamas",
        "Comoros",
        "Maldives",
        "Marshall Islands",
        "Netherlands",
        "Philippines",
        "Seychelles",
        "Solomon Islands",
    }
)
