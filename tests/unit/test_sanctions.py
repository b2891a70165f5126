"""Names on a list of people nobody may pay: read, compared, found."""

from __future__ import annotations

import time

import pytest

from introducer import sanctions
from introducer.errors import InvalidInputError
from introducer.sanctions import THRESHOLD, Hit, Index, Listed

LIST = (
    "id,name,aliases,country\r\n"
    "L-1,Maximilian Mustermann,Max Mustermann;Mustermann Maks,DE\r\n"
    'L-2,"Muster Handel GmbH",,\r\n'
    "L-3,Владимир Образцов,Vladimir Obraztsov,RU\r\n"
)


def like(one: str, other: str) -> int:
    """Return how much two names are one."""
    score = sanctions.likeness(sanctions.words(one), sanctions.words(other))
    assert score == sanctions.likeness(sanctions.words(other), sanctions.words(one))
    return score


def test_list_is_read_with_its_aliases() -> None:
    """A mark at the beginning that spreadsheets write is no part of it."""
    first, second, third = sanctions.parse("\ufeff" + LIST)
    names = ("Maximilian Mustermann", "Max Mustermann", "Mustermann Maks")
    assert Listed("L-1", names, "DE") == first
    assert ("L-2", ("Muster Handel GmbH",), "") == (second.id, second.names, second.country)
    assert ("Владимир Образцов", "Vladimir Obraztsov") == third.names


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", "line 1"),
        ("id,name,aliases,country\r\n", "line 1"),
        ("name,id,aliases,country\r\nA,1,,\r\n", "line 1"),
        (LIST + "L-4,Somebody\r\n", "line 5"),
        (LIST + "L-4,Somebody,,,,\r\n", "line 5"),
        (LIST + "L-1,Somebody,,\r\n", "line 5"),
        (LIST + ",Somebody,,\r\n", "line 5"),
        (LIST + "L-4, - ,Somebody,\r\n", "line 5"),
        (LIST + 'L-4,"Some"body,,\r\n', "line 5"),
    ],
)
def test_list_that_cannot_be_is_refused_by_line(text: str, line: str) -> None:
    """An empty list would clear everybody, so it is none."""
    with pytest.raises(InvalidInputError) as caught:
        sanctions.parse(text)
    assert ("invalid_list", "csv", line) == (
        caught.value.code,
        caught.value.field,
        caught.value.message.partition(":")[0],
    )


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Jörg Weiß", "JORG WEISS"),
        ("Petrov, Ivan Sergeyevich", "Ivan Petrov"),
        ("Mohammed Al Rashid", "Mohamed Alrashid"),
        ("Usama bin Laden", "Osama bin Ladin"),
        ("Kim Jong-un", "Kim Jong Un"),
        ("Dr. Max Mustermann", "max mustermann"),
        ("Acme Trading LLC", "ACME TRADING COMPANY LTD."),
        ("O'Neil Patrick", "Patrick ONeil"),
        ("Łukasz Żółć", "Lukasz Zolc"),
        ("Анна Каренина", "анна каренина"),
    ],
)
def test_spelling_order_titles_and_legal_forms_hide_nobody(one: str, other: str) -> None:
    """Rather too much than too little."""
    assert like(one, other) >= THRESHOLD


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Pia Partner", "Paul Partner"),
        ("John Smith", "Joan Smithers"),
        ("Ali", "Ali Hassan"),
        ("Maria Lopez", "Maria Garcia"),
        ("Acme Trading LLC", "Zenith Trading LLC"),
        ("", "Max Mustermann"),
    ],
)
def test_who_shares_a_name_is_somebody_else(one: str, other: str) -> None:
    """One name alone means nobody."""
    assert like(one, other) < THRESHOLD


def test_index_finds_the_entries_best_first() -> None:
    """By any of the names given, each entry once."""
    index = Index(sanctions.parse(LIST))
    assert [Hit(id="L-1", score=100, country="DE")] == index.hits(
        ["Mustermann, Max", "Maximilian Mustermann"]
    )
    assert ["L-3"] == [hit.id for hit in index.hits(["Wladimir Obraszow", "Vladimir Obraztzov"])]
    assert ["L-2"] == [hit.id for hit in index.hits(["Muster Handel AG"])]
    assert [] == index.hits(["Pia Partner", ""])


def test_long_name_of_one_word_is_found_within_another() -> None:
    """A company's: a short one would be half of everybody's."""
    index = Index([Listed("L-1", ("Musterneft",)), Listed("L-2", ("Ali",))])
    assert ["L-1"] == [hit.id for hit in index.hits(["Musterneft Trading GmbH"])]
    assert [] == index.hits(["Ali Hassan"])
    assert ["L-2"] == [hit.id for hit in index.hits(["ALI"])]


def test_index_looks_at_few_of_many() -> None:
    """Entries that share no word are not compared: a name of 20,000 takes milliseconds."""
    made = [f"{a}{b}{c}" for a in "bdfgklmnprst" for b in "aeiou" for c in ("lan", "rik", "mos")]
    entries = [
        Listed(f"E-{n}", (f"{made[n % 180]} {made[(n * 7) % 180]}{n % 97}",)) for n in range(20_000)
    ]
    index = Index(entries)
    began = time.process_time()
    for n in range(20):
        index.hits([f"Zyx{n} Wqv{n}"])
    assert time.process_time() - began < 1
