"""The page's own words: labels, hints and errors in the languages it speaks by itself.

What a program says is in its document; everything else a visitor reads is here. A page in
another language keeps its own texts and takes these in English, marked as such.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path

FALLBACK = "en"
_COUNTRIES = Path(__file__).parent / "countries.json"

EN = {
    "problem": "Please check what you entered",
    "error": "Error",
    "optional": "optional",
    "choose": "Please choose",
    "no_answer": "No answer",
    "yes": "Yes",
    "no": "No",
    "language": "Language",
    "recommends": "recommends {company}",
    "consent": "Your consent",
    "privacy": "Privacy notice",
    "sent": "Thank you",
    "trap": "Leave this field empty",
    "label.name": "Your name",
    "label.email": "E-mail address",
    "label.phone": "Phone number",
    "label.company": "Company",
    "label.country": "Country",
    "label.size": "How many people work in your company?",
    "label.industry": "Industry",
    "label.product": "What are you interested in?",
    "label.note": "Anything else we should know",
    "hint.phone": "From abroad with the country code, such as +49 30 123456",
    "hint.number": "A whole number",
    "hint.word": "Letters, digits and . _ : / - without spaces",
    "missing.name": "Enter your name",
    "missing.email": "Enter your e-mail address",
    "missing.country": "Choose your country",
    "missing.consent.given": "Tick the box if you agree; without it we may not contact you",
    "missing.answer": "Answer this question: {label}",
    "invalid.name": "Enter your name in one line of at most 200 characters",
    "invalid.email": "Enter an e-mail address like name@example.com",
    "invalid.phone": "Enter a phone number like 030 123456 or +49 30 123456",
    "invalid.company": "Enter the company in one line of at most 200 characters",
    "invalid.country": "Choose a country from the list",
    "invalid.size": "Enter a whole number from 1 to 10,000,000",
    "invalid.note": "Shorten the text to 1,000 characters",
    "invalid.choice": "Choose one from the list: {label}",
    "invalid.number": "Enter a whole number: {label}",
    "invalid.word": "Use letters, digits and . _ : / - without spaces: {label}",
    "form.sent_too_fast": "That was very quick. Please look it over and send it again; "
    "everything you entered is still here.",
    "form.form_outdated": "This page was open for long, or its text has changed. Please read it "
    "again, tick the box and send it; everything you entered is still here.",
    "form.idempotency_key_reused": "This form was sent before with other details. If you want to "
    "send these as well, send it again.",
    "form.body_too_large": "That was too long. Please shorten it and send it again.",
    "form.busy": "That did not work just now. Nothing is lost: please send it again.",
    "form.failed": "We could not take this. Please check it and send it again.",
    "not_found": "This page does not exist",
    "not_found_text": "The address may be misspelt, or the page is no longer there.",
    "broken": "Something went wrong",
    "broken_text": "Please try again in a moment.",
}

DE = {
    "problem": "Bitte prüfen Sie Ihre Angaben",
    "error": "Fehler",
    "optional": "freiwillig",
    "choose": "Bitte auswählen",
    "no_answer": "Keine Angabe",
    "yes": "Ja",
    "no": "Nein",
    "language": "Sprache",
    "recommends": "empfiehlt {company}",
    "consent": "Ihre Einwilligung",
    "privacy": "Datenschutzhinweise",
    "sent": "Vielen Dank",
    "trap": "Dieses Feld bitte leer lassen",
    "label.name": "Ihr Name",
    "label.email": "E-Mail-Adresse",
    "label.phone": "Telefonnummer",
    "label.company": "Unternehmen",
    "label.country": "Land",
    "label.size": "Wie viele Menschen arbeiten in Ihrem Unternehmen?",
    "label.industry": "Branche",
    "label.product": "Wofür interessieren Sie sich?",
    "label.note": "Was wir sonst wissen sollten",
    "hint.phone": "Aus dem Ausland mit Landesvorwahl, zum Beispiel +49 30 123456",
    "hint.number": "Eine ganze Zahl",
    "hint.word": "Buchstaben, Ziffern und . _ : / - ohne Leerzeichen",
    "missing.name": "Geben Sie Ihren Namen ein",
    "missing.email": "Geben Sie Ihre E-Mail-Adresse ein",
    "missing.country": "Wählen Sie Ihr Land aus",
    "missing.consent.given": "Kreuzen Sie das Feld an, wenn Sie einverstanden sind; sonst dürfen "
    "wir uns nicht bei Ihnen melden",
    "missing.answer": "Beantworten Sie diese Frage: {label}",
    "invalid.name": "Geben Sie Ihren Namen in einer Zeile mit höchstens 200 Zeichen ein",
    "invalid.email": "Geben Sie eine E-Mail-Adresse wie name@example.com ein",
    "invalid.phone": "Geben Sie eine Telefonnummer wie 030 123456 oder +49 30 123456 ein",
    "invalid.company": "Geben Sie das Unternehmen in einer Zeile mit höchstens 200 Zeichen ein",
    "invalid.country": "Wählen Sie ein Land aus der Liste",
    "invalid.size": "Geben Sie eine ganze Zahl von 1 bis 10.000.000 ein",
    "invalid.note": "Kürzen Sie den Text auf 1.000 Zeichen",
    "invalid.choice": "Wählen Sie etwas aus der Liste: {label}",
    "invalid.number": "Geben Sie eine ganze Zahl ein: {label}",
    "invalid.word": "Nur Buchstaben, Ziffern und . _ : / - ohne Leerzeichen: {label}",
    "form.sent_too_fast": "Das ging sehr schnell. Bitte sehen Sie alles noch einmal durch und "
    "senden Sie es erneut; Ihre Angaben sind noch da.",
    "form.form_outdated": "Diese Seite war lange offen, oder ihr Text hat sich geändert. Bitte "
    "lesen Sie ihn noch einmal, kreuzen Sie das Feld an und senden Sie das Formular; Ihre Angaben "
    "sind noch da.",
    "form.idempotency_key_reused": "Dieses Formular wurde schon mit anderen Angaben gesendet. "
    "Wenn Sie auch diese senden möchten, senden Sie es noch einmal.",
    "form.body_too_large": "Das war zu lang. Bitte kürzen Sie es und senden Sie es noch einmal.",
    "form.busy": "Das hat gerade nicht geklappt. Nichts ist verloren: Bitte senden Sie es noch "
    "einmal.",
    "form.failed": "Wir konnten das nicht annehmen. Bitte prüfen Sie es und senden Sie es erneut.",
    "not_found": "Diese Seite gibt es nicht",
    "not_found_text": "Vielleicht ist die Adresse falsch geschrieben, oder die Seite ist nicht "
    "mehr da.",
    "broken": "Etwas ist schiefgegangen",
    "broken_text": "Bitte versuchen Sie es gleich noch einmal.",
}

WORDS: Mapping[str, Mapping[str, str]] = {"en": EN, "de": DE}
NAMES = {
    "de": "Deutsch", "en": "English", "es": "Español", "fr": "Français",
    "it": "Italiano", "nl": "Nederlands", "pl": "Polski", "pt": "Português",
}  # fmt: skip
"""What languages call themselves, for whoever looks for theirs."""


def spoken(locale: str) -> str:
    """Return the language of the page's own words for *locale*."""
    language = locale[:2]
    return language if language in WORDS else FALLBACK


@cache
def countries(language: str) -> dict[str, str]:
    """Return the names of all countries by code, as the Unicode CLDR has them."""
    names: dict[str, dict[str, str]] = json.loads(_COUNTRIES.read_text())
    return names[language]
