"""Invented names: from syllables and from ordinary words, and the country names that a world may borrow."""

from __future__ import annotations

import random

_ONSETS = ("b br c ch cr d dr f fl g gr h j k kl l m n p pr qu r s sh sk st t th tr v w y z " * 1).split()
_VOWELS = "a e i o u a e i o ai ea ou ia io ee".split()
_CODAS = ("", "", "", "n", "r", "l", "s", "m", "th", "nd", "rk", "x", "t", "ld")
_LAST = ("ia", "land", "stan", "a", "o", "or", "en", "is", "um", "on", "an", "eth", "ara", "ova", "ina", "ey", "us")
_ADJECTIVES = (
    "Silver Red Northern Old Great Little Quiet Golden Upper Lower New Grey Green White Black Iron Long High "
    "Broken Bright Hidden Lost Royal Western Eastern Southern Blue Winter Summer Holy Stone Wild"
).split()
_NOUNS = (
    "Harbour River Hill Bridge Lake Garden Forest Tower Valley Field Bay Island Mountain Road House Star Moon Fox "
    "Falcon Wolf Bear Rose Oak Pine Mill Castle Gate Market Well Spring Meadow Crown Anchor Lantern Mirror "
    "Clock Letter Storm Shadow Dream Song Journey Key"
).split()
_FIRST = (
    "Anna Ben Carla David Elena Farid Grace Hugo Ines Jonas Kofi Lena Marco Nadia Omar Paula Quentin Rosa Sven "
    "Tara Ugo Vera Wen Ximena Yusuf Zoe Aisha Boris Chloe Diego Emma Felix Greta Hana Ivan Julia Kenji Laura "
    "Mei Nils Olga Pablo Ravi Sara Tom Uma Victor Wanda Maria John Peter Lucy Ali Kate"
).split()

COUNTRIES = tuple(
    """Afghanistan|Albania|Algeria|Andorra|Angola|Antigua and Barbuda|Argentina|Armenia|Australia|Austria|
Azerbaijan|Bahamas|Bahrain|Bangladesh|Barbados|Belarus|Belgium|Belize|Benin|Bhutan|Bolivia|Bosnia and Herzegovina|
Botswana|Brazil|Brunei|Bulgaria|Burkina Faso|Burundi|Cambodia|Cameroon|Canada|Cape Verde|Central African Republic|Chad|
Chile|China|Colombia|Comoros|Congo|Costa Rica|Croatia|Cuba|Cyprus|Czechia|Czech Republic|Denmark|Djibouti|Dominica|
Dominican Republic|DR Congo|Ecuador|Egypt|El Salvador|Equatorial Guinea|Eritrea|Estonia|Eswatini|Ethiopia|Fiji|Finland|
France|Gabon|Gambia|Georgia|Germany|Ghana|Greece|Grenada|Guatemala|Guinea|Guinea-Bissau|Guyana|Haiti|Honduras|Hungary|
Iceland|India|Indonesia|Iran|Iraq|Ireland|Israel|Italy|Ivory Coast|Jamaica|Japan|Jordan|Kazakhstan|Kenya|Kiribati|
Kuwait|Kyrgyzstan|Laos|Latvia|Lebanon|Lesotho|Liberia|Libya|Liechtenstein|Lithuania|Luxembourg|Madagascar|Malawi|
Malaysia|Maldives|Mali|Malta|Marshall Islands|Mauritania|Mauritius|Mexico|Micronesia|Moldova|Monaco|Mongolia|Montenegro|
Morocco|Mozambique|Myanmar|Namibia|Nauru|Nepal|Netherlands|New Zealand|Nicaragua|Niger|Nigeria|North Korea|
North Macedonia|Norway|Oman|Pakistan|Palau|Palestine|Panama|Papua New Guinea|Paraguay|Peru|Philippines|Poland|Portugal|
Qatar|Romania|Russia|Rwanda|Saint Kitts and Nevis|Saint Lucia|Saint Vincent and the Grenadines|Samoa|San Marino|
São Tomé and Príncipe|Saudi Arabia|Senegal|Serbia|Seychelles|Sierra Leone|Singapore|Slovakia|Slovenia|Solomon Islands|
Somalia|South Africa|South Korea|South Sudan|Spain|Sri Lanka|Sudan|Suriname|Sweden|Switzerland|Syria|Tajikistan|
Tanzania|Thailand|Timor-Leste|Togo|Tonga|Trinidad and Tobago|Tunisia|Turkey|Turkmenistan|Tuvalu|Uganda|Ukraine|
United Arab Emirates|United Kingdom|United States|Uruguay|Uzbekistan|Vanuatu|Vatican City|Venezuela|Vietnam|Yemen|
Zambia|Zimbabwe""".replace("\n", "").split("|")
)


def syllables(rng: random.Random, least: int = 1, most: int = 2) -> str:
    """A capitalised invented word of ``least`` to ``most`` syllables and perhaps an ending."""
    word = "".join(
        rng.choice(_ONSETS) + rng.choice(_VOWELS) + rng.choice(_CODAS) for _ in range(rng.randint(least, most))
    )
    if rng.random() < 0.4 or len(word) < 4:
        word += rng.choice(_LAST)
    return word[:12].capitalize()


_TONGUES = tuple(
    dict(pair.split(":") for pair in pairs.split())
    for pairs in (
        "a:á e:é i:í o:ó u:ú n:ñ", "a:ă i:î s:ș t:ț ia:ea", "l:ł a:ą e:ę s:ś z:ż c:ć w:ł", "a:å o:ø e:æ k:kj a:á d:ð",
        "u:ü o:ö s:ş c:ç i:ı g:ğ", "c:č s:š z:ž u:ů e:ě r:ř", "a:ā i:ī u:ū e:ē t:ţ", "a:ã o:õ e:ê c:ç an:ão",
        "k:k' t:t' p:p' a:aa", "u:uu i:ii k:kk t:tt", "o:ơ u:ư a:ậ e:ế d:đ", "b:mb d:nd g:ng k:nk",
        "s:sh c:dz t:tl r:rr", "o:oʻ g:gʻ", "a:e o:ou f:ph k:q", "e:eu i:y o:oe",
    )
)  # fmt: skip
"""How some languages write: which letters take which form there."""


_PLAIN = "b c d f g h j k l m n p r s t v z y k l m n p r s t sh ch".split()
_CLOSED = ("", "", "", "n", "r", "l", "s", "m", "k", "t")


def foreign(rng: random.Random) -> str:
    """An invented word in small letters as another language might write it: ``hárkað``, ``mbonge``, ``ștuleț``."""
    count = rng.randint(2, 4)
    word = "".join(rng.choice(_PLAIN) + rng.choice("aeiou") + rng.choice(_CLOSED) * (at > count - 3)
                   for at in range(count))  # fmt: skip
    word = word[rng.random() < 0.15 :]
    for plain, written in rng.choice((*_TONGUES, {})).items():
        if rng.random() < 0.6:
            word = word.replace(plain, written, 1)
    return word


def thing(rng: random.Random) -> str:
    """The name of a thing: Silver Harbour, The Lantern, Broten, Oak Mill."""
    draw = rng.random()
    if draw < 0.35:
        return f"{rng.choice(_ADJECTIVES)} {rng.choice(_NOUNS)}"
    if draw < 0.42:
        return f"The {rng.choice(_NOUNS)}"
    if draw < 0.52:
        return f"{rng.choice(_NOUNS)} {rng.choice(_NOUNS)}"
    if draw < 0.6:
        return f"{syllables(rng)} {rng.choice(_NOUNS)}"
    return syllables(rng)


def person(rng: random.Random) -> str:
    """A first and a last name, or a first name alone."""
    first = rng.choice(_FIRST)
    return first if rng.random() < 0.15 else f"{first} {syllables(rng, 1, 2)}"


def place(rng: random.Random) -> str:
    """A town: mostly one invented word."""
    draw = rng.random()
    if draw < 0.1:
        return f"Port {syllables(rng, 1, 2)}"
    if draw < 0.2:
        return f"{rng.choice(_ADJECTIVES)} {rng.choice(_NOUNS)}"
    return syllables(rng)


def country(rng: random.Random) -> str:
    """A country: a real name (its facts will be invented) or an invented one."""
    draw = rng.random()
    if draw < 0.7:
        return rng.choice(COUNTRIES)
    return f"{rng.choice(_ADJECTIVES)} {syllables(rng)}" if draw < 0.75 else syllables(rng, 1, 2)


MAKERS = {"thing": thing, "person": person, "place": place, "country": country}
