"""A bank that books, repeats itself, mixes things up, returns days later, and names strangers."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from introducer.rails.registry import file_rail
from tests.simulation.books import Violation
from tests.support import money
from tests.support.bank_files import notification, status_report

_REMEMBERED = 40
Order = dict[str, Any]


class Bank:
    """Reads the outbox, executes every order once, and writes files about it.

    Args:
        rng: What it does, and when.
        find: Returns the stored item ``STATE`` under a partition key of the ledger.
        today: The present day.
    """

    def __init__(
        self,
        rng: random.Random,
        find: Callable[[str], dict[str, Any] | None],
        today: Callable[[], str],
    ) -> None:
        self._rng = rng
        self._find = find
        self._today = today
        self.orders: dict[str, Order] = {}
        """By reference: batch, amount, and what became of it."""
        self.mail: list[tuple[str, bytes]] = []
        """Files that wait for delivery."""
        self.sent: list[tuple[str, bytes]] = []
        """Files that were delivered, and may be again."""
        self._files = 0

    def saw_file(self, key: str, before: bytes | None, content: bytes) -> None:
        """Take an order from the outbox: once, no more than approved, and what the books say."""
        if not key.startswith("outbox/"):
            return
        batch_id = key.removeprefix("outbox/").partition(".")[0]
        batch = self._find(f"BATCH#{batch_id}")
        if before is not None or batch is None:
            raise Violation(f"a file was written twice, or for no batch: {key}")
        amounts = file_rail(batch["method"]).amounts_in(content, batch["currency"])
        if sum(amounts.values()) > batch["total_minor"] or batch["status"] != "submitted":
            raise Violation(f"the file orders more than was approved: {batch}; {amounts}")
        for reference, amount_minor in amounts.items():
            payout = self._find(f"PAYOUT#{reference}")
            if reference in self.orders:
                raise Violation(f"ordered twice: {reference}")
            if payout is None or (payout["status"], payout["amount_minor"]) != (
                "in_transit",
                amount_minor,
            ):
                raise Violation(f"the file orders what the books do not: {payout}")
            self.orders[reference] = {
                "batch": batch_id,
                "amount_minor": amount_minor,
                "state": "ordered",
            }

    def act(self) -> None:
        """Do one thing with what was ordered, and write a file about it."""
        states: dict[str, list[str]] = {"ordered": [], "executed": []}
        for reference, order in self.orders.items():
            states.get(order["state"], []).append(reference)
        match self._rng.randint(0, 9):
            case 0:
                self._strange()
            case 1 | 2:
                self._reject(states["ordered"])
            case 3 | 4:
                self._return(states["executed"])
            case 5:
                self._execute_batch(states["ordered"])
            case _:
                self._execute(states["ordered"])

    def finish(self) -> None:
        """Execute everything that is still only ordered."""
        open_orders = [ref for ref, order in self.orders.items() if order["state"] == "ordered"]
        for reference in open_orders:
            self._book([reference])

    def _execute(self, found: list[str]) -> None:
        if found:
            self._book(self._some(found))

    def _book(self, references: list[str]) -> None:
        for reference in references:
            self.orders[reference]["state"] = "executed"
        entries = [self._entry(reference) for reference in references]
        self._write(notification(*entries, note=f"N-{self._files}"))

    def _execute_batch(self, found: list[str]) -> None:
        """Book all of a batch in one sum, if nothing of it was answered yet."""
        if not found:
            return
        batch = self.orders[self._rng.choice(found)]["batch"]
        of_batch = [ref for ref, order in self.orders.items() if order["batch"] == batch]
        if any(self.orders[ref]["state"] != "ordered" for ref in of_batch):
            return
        for reference in of_batch:
            self.orders[reference] |= {"state": "executed", "in_sum": True}
        total = sum(self.orders[ref]["amount_minor"] for ref in of_batch)
        entry = money.booking("", total, batch_id=batch, on=self._today())
        self._write(notification(entry, note=f"N-{self._files}"))

    def _return(self, found: list[str]) -> None:
        # A sum that is told after a part of it came back is listed for a person to decide: the
        # world has none, so such a return waits until the sum was taken in.
        found = [ref for ref in found if "in_sum" not in self.orders[ref] or self._is_paid(ref)]
        if not found:
            return
        references = self._some(found)
        for reference in references:
            self.orders[reference]["state"] = "returned"
        entries = [self._entry(ref, returned="AC04") for ref in references]
        self._write(notification(*entries, note=f"N-{self._files}"))

    def _reject(self, found: list[str]) -> None:
        if not found:
            return
        reference = self._rng.choice(found)
        order = self.orders[reference]
        order["state"] = "rejected"
        batch = order["batch"]
        self._write(
            status_report(
                f"<OrgnlGrpInfAndSts><OrgnlMsgId>{batch}</OrgnlMsgId>"
                "<OrgnlMsgNmId>pain.001.001.09</OrgnlMsgNmId><GrpSts>PART</GrpSts>"
                "</OrgnlGrpInfAndSts><OrgnlPmtInfAndSts>"
                f"<OrgnlPmtInfId>{batch}</OrgnlPmtInfId><TxInfAndSts>"
                f"<OrgnlEndToEndId>{reference}</OrgnlEndToEndId><TxSts>RJCT</TxSts>"
                "<StsRsnInf><Rsn><Cd>AC01</Cd></Rsn></StsRsnInf></TxInfAndSts></OrgnlPmtInfAndSts>"
            )
        )

    def _strange(self) -> None:
        """Book something that nobody ordered."""
        reference = f"P{self._rng.randint(10**13, 10**14 - 1)}"
        returned = "AC04" if self._rng.random() < 0.3 else ""
        entry = money.booking(reference, self._rng.randint(1, 9_999), returned=returned)
        self._write(notification(entry, note=f"N-{self._files}"))

    def _is_paid(self, reference: str) -> bool:
        payout = self._find(f"PAYOUT#{reference}")
        return payout is not None and payout["status"] == "paid"

    def _entry(self, reference: str, returned: str = "") -> str:
        amount_minor = self.orders[reference]["amount_minor"]
        return money.booking(reference, amount_minor, returned=returned, on=self._today())

    def _some(self, found: list[str]) -> list[str]:
        return self._rng.sample(found, self._rng.randint(1, min(3, len(found))))

    def _write(self, content: bytes) -> None:
        self._files += 1
        self.mail.append((f"inbox/{self._files}.xml", content))

    def deliver(self) -> tuple[str, bytes] | None:
        """Return a file that waits, in any order, or one that was delivered before."""
        if self.mail and (not self.sent or self._rng.random() < 0.8):
            found = self.mail.pop(self._rng.randrange(len(self.mail)))
            self.sent = [*self.sent, found][-_REMEMBERED:]
            return found
        return self._rng.choice(self.sent) if self.sent else None
