"""What rules and rewards are called in German; :mod:`introducer.wording` puts in the values."""

from __future__ import annotations

from introducer.words import money_de

DECIMAL, GROUP, PERCENT = ",", ".", "\u00a0%"
DATE = "{day}. {month} {year}"
MONTHS = tuple(
    ("Januar Februar März April Mai Juni Juli August September Oktober November Dezember").split()
)

WORDS = {
    "quoted": "„{text}“",
    "and": "{first} und {last}",
    "or": "{first} oder {last}",
    "yes": "ja",
    "no": "nein",
    "points.one": "{n} Punkt",
    "points.other": "{n} Punkte",
    "days.one": "{n} Tag",
    "days.other": "{n} Tagen",
    "months.one": "{n} Monat",
    "months.other": "{n} Monaten",
    "pieces.one": "{n} Stück",
    "pieces.other": "{n} Stück",
    "type.credit": "{amount} als Guthaben",
    "type.gift_card": "{amount} als Gutschein",
    "type.experience": "ein Erlebnis im Wert von {amount}",
    "type.donation": "eine Spende von {amount}",
    # ---- how an amount came about
    "step.flat": "Der Plan {plan} gibt fest {amount}.",
    "step.percent": "Der Plan {plan} gibt {rate} von {base}: {amount}.",
    "step.limited": (
        "Der Plan {plan} gibt {rate} von {base}: {exact}, nach seinen eigenen Grenzen {amount}."
    ),
    "step.per_product": "Der Plan {plan} gibt {amount} für {pieces}.",
    "step.points": "Der Plan {plan} gibt {amount}.",
    "step.variant": "Es gilt der Satz {variant}.",
    "step.count": "Es ist Erfolg Nummer {count} des Zeitraums.",
    "step.value": "Damit kommen die Erfolge des Zeitraums auf {value}.",
    "step.tier": "Das ist Stufe {tier}.",
    "step.bonus": "Mit dem Bonus {id} sind es {amount}.",
    "step.promotion": "Mit der Aktion {id} sind es {amount}.",
    "step.best": "Von {of} zutreffenden Plänen zahlt dieser am meisten.",
    "step.cap.partner": "Die Grenze {id} je Partner nimmt {cut} weg, es bleiben {amount}.",
    "step.cap.lead": "Die Grenze {id} je Kontakt nimmt {cut} weg, es bleiben {amount}.",
    "step.exchange": "Umgerechnet wird mit 1 {from} = {rate} {to}.",
    "step.share": "Der Anteil am Verdienst ist {rate}: {amount}.",
    "step.ceiling": (
        "Eine Empfehlung darf insgesamt nicht mehr kosten: {cut} weniger, es bleiben {amount}."
    ),
    "step.milestone": "Der Teil {id} ist {rate} davon: {amount}.",
    "step.rounded.up": "Das Runden brachte {parts} der kleinsten Einheit.",
    "step.rounded.down": "Das Runden nahm {parts} der kleinsten Einheit.",
    "step.budget": "Das Budget {id} gibt nicht mehr her: {cut} weniger, es bleiben {amount}.",
    "step.other": "{step}: {rest}.",
    # ---- tests of a condition
    "op.eq": "{what} ist {value}",
    "op.ne": "{what} ist nicht {value}",
    "op.in": "{what} ist {values}",
    "op.not_in": "{what} ist keines von {values}",
    "op.gt": "{what} ist mehr als {value}",
    "op.gte": "{what} ist mindestens {value}",
    "op.lt": "{what} ist weniger als {value}",
    "op.lte": "{what} ist höchstens {value}",
    "op.between": "{what} liegt zwischen {low} und {high}",
    "op.contains": "{what} enthalten {value}",
    "op.contains_any": "{what} enthalten {values}",
    "op.starts_with": "{what} beginnt mit {value}",
    "op.ends_with": "{what} endet mit {value}",
    "op.exists": "{what} ist bekannt",
    "op.missing": "{what} ist nicht bekannt",
    "op.not": "es gilt nicht: {inner}",
    "n.eq": "genau {value}",
    "n.gt": "mehr als {value}",
    "n.gte": "mindestens {value}",
    "n.lt": "weniger als {value}",
    "n.lte": "höchstens {value}",
    "n.between": "{low} bis {high}",
    "answer": "die Antwort auf {text}",
    # ---- the table: what earns
    "on.submitted": "Wenn ein Kontakt eingereicht ist und unsere Prüfung besteht",
    "on.stage": "Wenn die Empfehlung die Stufe {name} erreicht",
    "on.won": "Wenn der Kontakt zum ersten Mal kauft",
    "on.invoice_paid": "Für jeden Verkauf an den Kontakt",
    "on.invoice_paid.months": (
        "Für jeden Verkauf an den Kontakt innerhalb von {months} nach dem ersten"
    ),
    "on.retained": "Wenn der Kunde nach {days} seit dem ersten Verkauf noch einer ist",
    "on.event": "Jedes Mal, wenn {name} gemeldet wird",
    "who.partner": "Sie erhalten {what}",
    "who.organization": "Ihre Firma erhält {what}",
    "who.customer": "der Kunde erhält {what}",
    "who.rep": "die Ansprechperson im Vertrieb erhält {what}",
    "row": "{on}: {gets}.",
    # ---- the table: how much
    "calc.percent": "{rate} des Verkaufs",
    "calc.percent.products": "{rate} dessen, was er für {products} bringt",
    "calc.min": "mindestens {amount}",
    "calc.cap": "höchstens {amount}",
    "calc.amount_each": "{amount} je {product}",
    "calc.rate_of": "{rate} vom Preis für {product}",
    "calc.per_unit": "{points} je volle Einheit {currency}",
    "plan.by_chance": "Es ist eine Gewinnchance in einer Ziehung, nicht der Gewinn selbst.",
    "plan.condition": "Nur unter der Bedingung: {condition}.",
    "plan.variant": "Unter der Bedingung: {condition}, gibt es {what}, wenn das mehr ist.",
    "plan.tier.count": "Ab Erfolg Nummer {start} {period}: {what}.",
    "plan.tier.value": "Ab Erfolgen im Wert von {start} {period}: {what}.",
    "plan.bonus": "Unter der Bedingung: {condition}, gibt es {effect}.",
    "plan.promotion": "{name}, {dates}: {effect}.",
    "plan.promotion.condition": "{name}, {dates}, unter der Bedingung: {condition}: {effect}.",
    "plan.rivals": "Von diesem und {names} zählt, was am meisten bringt.",
    "effect.flat": "{amount} mehr",
    "effect.percent": "weitere {rate} des Verkaufs",
    "effect.multiplier": "das {factor}-Fache des Betrags",
    "dates": "vom {first} bis zum {last}",
    "period.month": "im Monat",
    "period.quarter": "im Quartal",
    "period.year": "im Jahr",
    "period.ever": "insgesamt",
    "cap.partner": "Ein Partner erhält {period} höchstens {amount}.",
    "cap.lead": "Ein Kontakt bringt {period} höchstens {amount}.",
    "ceiling": "Eine Empfehlung bringt höchstens {amount}, alles zusammen.",
    "engagement.referrals": "Ausgezahlt wird nach {n} Ihrer Empfehlungen.",
    "engagement.successes": "Ausgezahlt wird nach {n} Ihrer Erfolge.",
    # ---- the table: when
    "due.now": "{rate} sind sofort fällig",
    "due.after": "{rate} sind nach {days} fällig",
    "due.won": "{text}, wenn der Verkauf Bestand hat",
    "due.retained": "{text}, wenn der Kunde dann noch einer ist",
    "due.condition": "{text}, unter der Bedingung: {condition}",
    "due.until": "{text}; sie verfallen, wenn das auch nach weiteren {days} nicht gilt",
    "due": "{text}.",
    "clawback.proportional": "Eine Erstattung nimmt ihren Anteil zurück.",
    "clawback.proportional.within": (
        "Eine Erstattung innerhalb von {days} nach dem Verkauf nimmt ihren Anteil zurück."
    ),
    "clawback.full": "Eine Erstattung nimmt alles zurück.",
    "clawback.full.within": (
        "Eine Erstattung innerhalb von {days} nach dem Verkauf nimmt alles zurück."
    ),
    "clawback.none": "Eine Erstattung nimmt nichts zurück.",
    # ---- what a new version changes
    "change.new": "Neu, {name}: {text}",
    "change.ends": "{name} endet.",
    "change.now": "{name}, neu: {text}",
    "change.gone": "{name}, nicht mehr: {text}",
    "change.audience": "Diese Gruppe von Partnern endet.",
    "change.currency": "Beträge werden in {currency} gerechnet.",
    "change.limits": "Die Grenzen über alle Prämien zusammen ändern sich.",
    "change.payouts": "Die Regeln oder Termine der Auszahlung ändern sich.",
    "change.terms": "Es gelten neue Bedingungen: {version}.",
    "change.attribution": "Wem ein Kontakt wie lange zugerechnet wird, ändert sich.",
    "change.exchange": "Die Kurse zwischen Währungen ändern sich.",
    "change.messages": "Die Texte unserer Nachrichten ändern sich.",
    "change.kept": (
        "Was für diesen Tag angekündigt war, entfällt: Die Regeln bleiben, wie sie sind."
    ),
    "change.other": "Einzelheiten der Regeln ändern sich; die Prämientabelle enthält alles.",
    "change.more": "Es gibt noch mehr; die Prämientabelle enthält alles.",
    **money_de.WORDS,
}

FACTS = {
    "partner.audience": "die Gruppe des Partners",
    "partner.type": "die Art des Partners",
    "partner.country": "das Land des Partners",
    "partner.organization": "die Firma des Partners",
    "partner.segment": "das Segment des Partners",
    "partner.score": "die Punktzahl des Partners",
    "partner.share": "der Anteil des Partners am Verdienst",
    "partner.involvement": "die Mitwirkung des Partners",
    "partner.days": "die Zahl der Tage seit der Anmeldung des Partners",
    "lead.country": "das Land des Kontakts",
    "lead.language": "die Sprache des Kontakts",
    "lead.size": "die Zahl der Beschäftigten des Kontakts",
    "lead.industry": "die Branche des Kontakts",
    "lead.product": "das gewünschte Produkt",
    "lead.score": "die Punktzahl des Kontakts",
    "lead.rating": "die Bewertung des Kontakts durch den Vertrieb",
    "referral.channel": "der Weg, auf dem der Kontakt kam",
    "referral.status": "der Stand der Empfehlung",
    "referral.days_to_close": "die Zahl der Tage bis zum ersten Verkauf",
    "sale.amount_minor": "der Betrag des Verkaufs",
    "sale.currency": "die Währung des Verkaufs",
    "sale.product": "das verkaufte Produkt",
    "sale.products": "die verkauften Produkte",
    "sale.items": "die Zahl der Positionen",
    "sale.quantity": "die Zahl der verkauften Stücke",
    "sale.number": "die Nummer des Verkaufs",
    "event.amount_minor": "der gemeldete Betrag",
    "history.count": "die Zahl der Erfolge im Zeitraum",
    "history.value_minor": "der Wert der Erfolge im Zeitraum",
}
"""What is known, as the subject of a sentence."""

COUNTED = {
    "lead.size": "der Kontakt hat {n} Beschäftigte",
    "partner.days": "der Partner ist seit {n} Tagen angemeldet",
    "referral.days_to_close": "der Verkauf kommt nach {n} Tagen",
    "sale.items": "der Verkauf hat {n} Positionen",
    "sale.quantity": "der Verkauf hat {n} Stück",
    "history.count": "der Partner hat {n} Erfolge im Zeitraum",
}
"""Sentences of their own for numbers of something."""

VALUES = {
    "introduced": "vorgestellt",
    "assisted": "unterstützt",
    "co_sold": "gemeinsam verkauft",
}
