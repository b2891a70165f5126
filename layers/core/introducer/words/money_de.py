"""What statements, payouts and what stands against them are called in German."""

from __future__ import annotations

WORDS = {
    "statement.title": "Kontoauszug",
    "statement.holder": "Konto von",
    "statement.account": "Kontonummer",
    "statement.unit": "Währung",
    "statement.period": "Zeitraum",
    "statement.from": "seit {since}",
    "statement.upto": "bis {until}",
    "statement.between": "{since} bis {until}",
    "statement.all": "von Anfang an bis heute",
    "statement.as_of": "Letzte Buchung",
    "statement.nothing": "keine",
    "statement.booking": "Nr. {number} vom {day}",
    "statement.day": "Tag",
    "statement.what": "Buchung",
    "statement.opening": "Anfangsbestand",
    "statement.closing": "Endbestand",
    "statement.note": (
        "Beträge in {unit}. Tage nach UTC. Anfangsbestand und alle Buchungen zusammen ergeben in "
        "jeder Spalte den Endbestand."
    ),
    "statement.on_way": (
        "„Unterwegs“ ist, was für eine Auszahlung vorgemerkt oder gesendet und noch nicht "
        "gebucht ist."
    ),
    "statement.owed": (
        "„Zu viel gezahlt“ ist, was für einen Verkauf gezahlt wurde, der nicht Bestand hatte. Es "
        "wird mit dem verrechnet, was Sie als Nächstes verdienen; Sie müssen nichts überweisen."
    ),
    "page": "Seite {page} von {pages}",
    "account.pending": "Noch nicht fällig",
    "account.payable": "Auszahlbar",
    "account.on_way": "Unterwegs",
    "account.paid": "Ausgezahlt",
    "account.receivable": "Zu viel gezahlt",
    "kind.RewardEarned": "Prämie verdient",
    "kind.RewardReleased": "Prämie wurde auszahlbar",
    "kind.RewardReversed": "Prämie zurückgenommen",
    "kind.RewardImported": "Prämie, von einem anderen System gezahlt",
    "kind.PayoutCreated": "Für eine Auszahlung vorgemerkt",
    "kind.PayoutSubmitted": "Auszahlung gesendet",
    "kind.PayoutPaid": "Auszahlung gebucht",
    "kind.PayoutReturned": "Auszahlung kam zurück",
    "kind.PayoutCancelled": "Auszahlung abgesagt",
    "kind.CreditAdjusted": "Gutschrift von Hand",
    "kind.DebitAdjusted": "Belastung von Hand",
    "kind.BalanceOpened": "Aus einem anderen System übernommen",
    "kind.ReceivableWrittenOff": "Schuld erlassen",
    "ref.referral": "Empfehlung {id}",
    "ref.payout": "Auszahlung {id}",
    # ---- one payout
    "payout.title": "Auszahlung {reference}",
    "payout.status": "Stand",
    "payout.gross": "Ihrem Konto entnommen",
    "payout.withheld": "Für das Finanzamt einbehalten",
    "payout.amount": "Betrag",
    "payout.sent": "Gesendet als",
    "payout.rate": "Wechselkurs",
    "payout.rate.is": "1 {currency} = {rate} {to}, {source}, {day}",
    "payout.method": "Weg",
    "payout.batch": "Zahlungslauf",
    "payout.created": "Vorgemerkt am",
    "payout.booked": "Von der Bank gebucht am",
    "payout.returned": "Zurückgekommen am",
    "payout.reason": "Grund",
    "payout.advice": "Was Sie tun können",
    "payout.carried": "Rest von vorher",
    "payout.earlier": "Buchungen vor den aufgeführten",
    "payout.left": "Rest für die nächste Auszahlung",
    "payout.contents": (
        "Eine Auszahlung zahlt, was in diesem Augenblick auszahlbar ist, nicht einzelne Prämien. "
        "Diese Buchungen seit der vorigen Auszahlung ergaben, was auszahlbar war."
    ),
    "payout.cut": (
        "Es waren zu viele Buchungen, um alle aufzuführen; die früheren stehen in einer Zeile."
    ),
    "payout.fees": (
        "Gebühren von Banken und Anbietern trägt das Programm; Ihnen wird nichts abgezogen."
    ),
    "status.created": "vorgemerkt, noch nicht gesendet",
    "status.in_transit": "gesendet, von der Bank noch nicht gebucht",
    "status.paid": "ausgezahlt",
    "status.returned": "kam zurück; der Betrag ist wieder auszahlbar",
    "status.cancelled": "vor dem Senden abgesagt; der Betrag ist wieder auszahlbar",
    "status.skipped": "in diesem Lauf wurde nichts gezahlt",
    "method.sepa": "SEPA-Überweisung",
    "method.wire": "Auslandsüberweisung",
    "method.ach": "ACH-Überweisung",
    "method.payroll": "mit dem Gehalt",
    "method.stripe": "Stripe",
    "method.paypal": "PayPal",
    "method.gift_card": "Gutschein",
    "method.points": "Punkte",
    "method.credit": "Guthaben",
    # ---- why, as the bank, the rules or people said it
    "reason.refunded": "der Kauf wurde erstattet",
    "reason.churned": "der Kunde ist nicht mehr bei uns",
    "reason.recredited": (
        "ein Einspruch wurde entschieden, und die Empfehlung wird anders zugerechnet"
    ),
    "reason.displaced": "ein früherer Erfolg wurde später gemeldet und zählt vor diesem",
    "reason.forfeited": "die Bedingung der Prämie wurde nicht rechtzeitig erfüllt",
    "reason.not_enrolled": "es hat sich niemand rechtzeitig angemeldet",
    "reason.batch_cancelled": "der Zahlungslauf wurde abgesagt",
    "reason.cancelled_by_hand": "jemand hat ihn abgesagt",
    "reason.excluded": "jemand hat sie aus dem Zahlungslauf genommen",
    "reason.below_threshold": "es war weniger als die kleinste Auszahlung",
    "reason.on_hold": "jemand sieht sie sich erst an",
    "reason.partner_not_active": "das Konto war nicht aktiv",
    "reason.no_payee": "es gab kein Konto, auf das gezahlt werden konnte",
    "reason.payee_rejected": "eine Zahlung auf dieses Konto war schon zurückgekommen",
    "reason.payee_cooling_off": "das Konto war kurz vorher geändert worden",
    "reason.payee_not_payable": "auf das Konto kann nicht gezahlt werden",
    "reason.duplicate_payee": "jemand anders hat dasselbe Konto angegeben",
    "reason.tax_form_missing": "ein Steuerformular fehlte",
    "reason.screening_pending": "eine gesetzlich verlangte Prüfung war nicht abgeschlossen",
    "reason.screening_hit": "eine gesetzlich verlangte Prüfung war nicht abgeschlossen",
    "reason.not_reserved": "der Zahlungslauf war schon geschlossen",
    "reason.self_referral": "der Kontakt scheinen Sie selbst zu sein",
    "reason.fraud": "die Regeln des Programms wurden nicht eingehalten",
    "reason.too_small": "es war zu wenig, um ihm nachzugehen",
    "reason.too_old": "es hatte sich zu lange nichts getan",
    "reason.above_most_owed": "es war mehr, als jemand schulden muss",
    "reason.AC01": "die Kontonummer stimmt nicht",
    "reason.AC03": "die Kontonummer stimmt nicht",
    "reason.AC04": "das Konto ist aufgelöst",
    "reason.AC06": "das Konto ist gesperrt",
    "reason.AC07": "das Konto ist aufgelöst",
    "reason.AC13": "das Konto nimmt solche Zahlungen nicht an",
    "reason.AC14": "die Art des Kontos ist nicht die richtige",
    "reason.AG01": "das Konto nimmt solche Zahlungen nicht an",
    "reason.BE01": "der Name ist nicht der des Kontoinhabers",
    "reason.BE04": "die Anschrift des Kontoinhabers fehlt",
    "reason.CNOR": "die Bank nimmt solche Zahlungen nicht an",
    "reason.MD07": "der Kontoinhaber ist verstorben",
    "reason.MS03": "die Bank hat keinen Grund genannt",
    "reason.R02": "das Konto ist aufgelöst",
    "reason.R03": "es gibt kein Konto mit dieser Nummer auf diesen Namen",
    "reason.R04": "die Kontonummer stimmt nicht",
    "reason.R13": "der Code der Bank stimmt nicht",
    "reason.R16": "das Konto ist gesperrt",
    "reason.R17": "die Kontonummer stimmt nicht",
    "reason.R20": "das Konto nimmt solche Zahlungen nicht an",
    "reason.R23": "der Kontoinhaber hat die Zahlung abgelehnt",
    "reason.RC01": "die Kennung der Bank stimmt nicht",
    "reason.RC04": "der Code der Bank stimmt nicht",
    "reason.RECEIVER_UNREGISTERED": "es gibt kein Konto mit dieser Adresse",
    "reason.RR01": "die Angaben zum Kontoinhaber sind unvollständig",
    "reason.RR02": "die Angaben zum Kontoinhaber sind unvollständig",
    "reason.RR03": "die Angaben zum Kontoinhaber sind unvollständig",
    "reason.RR04": "eine gesetzliche Vorschrift steht entgegen",
    "reason.account_closed": "das Konto ist aufgelöst",
    "reason.account_frozen": "das Konto ist gesperrt",
    "reason.invalid_account_number": "die Kontonummer stimmt nicht",
    "reason.no_account": "es gibt kein Konto mit dieser Nummer auf diesen Namen",
    # ---- what to do about money that came back
    "advice.number": "Prüfen Sie Ihre Kontonummer und geben Sie uns das Konto noch einmal an.",
    "advice.closed": "Geben Sie uns ein anderes Konto an: Dieses ist aufgelöst.",
    "advice.blocked": (
        "Fragen Sie Ihre Bank, warum das Konto gesperrt ist, oder geben Sie uns ein anderes an."
    ),
    "advice.kind": "Geben Sie uns ein anderes Konto an: Dieses nimmt solche Zahlungen nicht an.",
    "advice.holder": "Ergänzen Sie Name und Anschrift in Ihren Auszahlungsdaten.",
    "advice.bank": (
        "Fragen Sie Ihre Bank, warum sie das Geld zurückgeschickt hat, oder geben Sie uns ein "
        "anderes Konto an."
    ),
    "advice.us": "Bitte melden Sie sich bei uns; vorher können wir Ihnen nichts auszahlen.",
    "advice.other": "Prüfen Sie Ihre Auszahlungsdaten. Stimmen sie, melden Sie sich bitte bei uns.",
    # ---- why nothing is paid at present, and what helps
    "obstacle.partner_not_active": "Ihr Konto ist nicht aktiv. Bitte melden Sie sich bei uns.",
    "obstacle.no_payee": (
        "Wir wissen nicht, wohin wir Ihr Geld senden sollen. Bitte geben Sie uns ein Konto an."
    ),
    "obstacle.payee_cooling_off": (
        "Ihr Konto wurde geändert. Zu Ihrer Sicherheit wird vor {until} nichts dorthin gezahlt."
    ),
    "obstacle.payee_rejected": "Eine Zahlung auf Ihr Konto kam zurück: {reason}. {advice}",
    "obstacle.payee_not_payable": (
        "Auf das angegebene Konto können wir nicht zahlen. Bitte prüfen Sie es oder geben Sie uns "
        "ein anderes an."
    ),
    "obstacle.on_hold": (
        "Jemand sieht sich Ihre Auszahlungen an, bevor es weitergeht. Nichts ist verloren."
    ),
    "obstacle.tax_form_missing": (
        "Das Gesetz verlangt ein Steuerformular: {form}. Bitte füllen Sie es aus."
    ),
    "obstacle.screening_pending": (
        "Wir vergleichen Zahlungsempfänger noch mit einer Liste, wie es das Gesetz verlangt."
    ),
    "obstacle.screening_hit": (
        "Eine gesetzlich verlangte Prüfung ist nicht abgeschlossen. Bitte melden Sie sich bei uns."
    ),
    "obstacle.duplicate_payee": (
        "Ihr Konto hat auch jemand anders angegeben. Bitte melden Sie sich bei uns oder geben Sie "
        "uns ein anderes an."
    ),
    "obstacle.no_rate": "Wir warten auf den Wechselkurs. Sie müssen nichts tun.",
    "obstacle.below_threshold": "Bis zur kleinsten Auszahlung von {threshold} fehlen {missing}.",
    "obstacle.nothing_payable": "Derzeit ist nichts auszahlbar.",
    "obstacle.no_rule": (
        "Das Programm hat keinen Weg, Ihnen das in Ihrem Land zu zahlen. Bitte melden Sie sich "
        "bei uns."
    ),
    "obstacle.by_hand": "Auszahlungen werden von Hand gestartet; einen festen Tag gibt es nicht.",
    "obstacle.excluded": "Sie wurden aus dem Zahlungslauf genommen. Bitte melden Sie sich bei uns.",
    "obstacle.halted": (
        "Auszahlungen ruhen, während wir unsere Bücher prüfen. Nichts ist verloren."
    ),
    "form.w9": "W-9",
    "form.w8ben": "W-8BEN",
    "form.w8ben_e": "W-8BEN-E",
    "form.vat": "Umsatzsteuernummer",
    "waiting.not_due": "Die Wartezeit ist noch nicht um.",
    "waiting.on_hold": "Jemand sieht sich die Empfehlung an.",
    "waiting.duplicate": "Der Kontakt war schon bekannt; das wird geprüft.",
    "waiting.churned": "Der Kunde ist nicht mehr da.",
    "waiting.not_sold": "Der Verkauf ist noch nicht zustande gekommen.",
    "waiting.condition_not_met": "Die Bedingung der Prämie ist noch nicht erfüllt.",
    "waiting.engagement_missing": (
        "Sie müssen noch etwas tun, um zu verdienen; siehe Ihre Startseite."
    ),
    "waiting.not_enrolled": "Sie haben sich noch nicht angemeldet.",
    "waiting.due": "Sie ist fällig und wird mit dem nächsten Lauf auszahlbar.",
    "receivable.why": (
        "{amount} wurden für Verkäufe gezahlt, die nicht Bestand hatten. Sie werden mit dem "
        "verrechnet, was Sie als Nächstes verdienen."
    ),
    "next.payout": "Der nächste Zahlungslauf ist am {day}.",
}
