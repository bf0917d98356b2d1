"""The chapters of the tour: each one thing that can be done with a payment. They can be repeated at will."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

from loadtest.tour.climbing import ladder
from loadtest.tour.hooking import webhooks
from loadtest.tour.leaving import privacy
from loadtest.tour.proving import prove
from loadtest.tour.stage import Person, Stage, money, new_id

Chapter = Callable[[Stage], Awaitable[None]]


def _between(payer: Person, payee: Person, amount: int, **more: Any) -> dict[str, Any]:
    return {"payment": new_id(), "payer": payer.account, "payee": payee.account, "amount": amount, **more}


async def holds(stage: Stage) -> None:
    """Authorize, capture in parts, void, expire."""
    ana, cafe = stage.ana, stage.cafe
    await ana.ask("follow", account=ana.account)
    hold = await stage.step(
        ana, "reserves R$ 50.00 for the café", "status", type_="authorize", **_between(ana, cafe, 5_000)
    )
    await stage.sees(ana, "what", "hold")
    about = hold["payment"]
    for amount in (2_000, 1_500):
        await stage.step(
            cafe,
            f"captures {money(amount)} of it",
            "status",
            type_="capture",
            payment=new_id(),
            about=about,
            amount=amount,
        )
    await stage.step(
        cafe,
        "wants R$ 15.01 more, and 15.00 are left",
        "status",
        type_="capture",
        payment=new_id(),
        about=about,
        amount=1_501,
    )
    await stage.step(cafe, "lets the rest go", "status", "amount", type_="void", payment=new_id(), about=about)
    ana.forget_events()
    await stage.step(
        ana, "reserves R$ 5.00 for one second", "status", type_="authorize", **_between(ana, cafe, 500, lasts_s=1)
    )
    while (await ana.event())["what"] != "hold.expired":
        pass
    stage.note(ana, "  sees hold.expired: a worker has let it go")


async def refunds(stage: Stage) -> None:
    """Give back a part, never too much, never twice; undo a payment."""
    ana, cafe = stage.ana, stage.cafe
    paid = await stage.step(ana, "pays the café R$ 10.00", "status", type_="pay", **_between(ana, cafe, 1_000))
    refund = {"payment": new_id(), "about": paid["payment"], "amount": 400}
    await stage.step(cafe, "gives R$ 4.00 back", "status", type_="refund", **refund)
    await stage.step(cafe, "says so again, as a till does after a tunnel", "status", type_="refund", **refund)
    await stage.step(
        cafe,
        "wants to give R$ 6.01 more",
        "status",
        type_="refund",
        payment=new_id(),
        about=paid["payment"],
        amount=601,
    )
    mistake = await stage.step(ana, "pays R$ 3.00 by mistake", "status", type_="pay", **_between(ana, cafe, 300))
    await stage.step(
        stage.operator,
        "undoes that payment as a whole",
        "status",
        "amount",
        type_="reverse",
        payment=new_id(),
        about=mistake["payment"],
    )


async def charges(stage: Stage) -> None:
    """Ask to be paid, with a QR code and a link."""
    ana, cafe = stage.ana, stage.cafe
    await cafe.ask("follow", account=cafe.account)
    made = await stage.step(
        cafe,
        "asks for R$ 12.50",
        "status",
        type_="create_charge",
        charge=new_id(),
        payee=cafe.account,
        amount=1_250,
        description="Two coffees and a cake",
        reference="table 4",
        expires_in_s=900,
    )
    charge = made["charge"]
    stage.note(cafe, f"  shows the QR code of {charge['code'][:44]}…")
    stage.note(cafe, f"  or sends the link {charge['link'].rsplit('/', 1)[0]}/…")
    seen = await stage.step(
        ana, "scans the code", "name", "amount", "description", type_="read_code", code=charge["code"]
    )
    pay = _between(ana, cafe, seen["charge"]["amount"], charge=charge["charge"])
    await stage.step(ana, "pays it", "status", type_="pay", **pay)
    await stage.sees(cafe, "what", "amount")
    await stage.step(
        stage.bruno,
        "wants to pay it, too",
        "status",
        type_="pay",
        **_between(stage.bruno, cafe, 1_250, charge=charge["charge"]),
    )


async def fees(stage: Stage) -> None:
    """Fees, and a payment that is split."""
    ana, bruno, cafe, operator = stage.ana, stage.bruno, stage.cafe, stage.operator
    await stage.step(
        operator,
        "sets a fee: 1.5 % and R$ 0.10, R$ 0.20 at least",
        type_="set_terms",
        terms=1,
        name="Shops",
        fee_ppm=15_000,
        fee_fixed=10,
        fee_min=20,
        returns_fee=True,
        tip_percent_max=20,
    )
    await stage.step(operator, "puts the café under it", type_="put_under_terms", account=cafe.account, terms=1)
    await cafe.ask("follow", account=cafe.account)
    await bruno.ask("follow", account=bruno.account)
    await stage.step(
        ana,
        "pays R$ 40.00, of which Bruno gets R$ 15.00",
        "status",
        type_="pay",
        **_between(ana, cafe, 4_000, shares=[[bruno.account, 1_500]]),
    )
    await stage.sees(cafe, "what", "amount", "fee")
    await stage.sees(bruno, "what", "amount")
    await stage.step(operator, "takes the café out of it again", type_="put_under_terms", account=cafe.account)


async def limits(stage: Stage) -> None:
    """Limits, risk rules, and the queue of payments that wait for an operator."""
    bruno, cafe, operator = stage.bruno, stage.cafe, stage.operator
    await stage.step(operator, "opens a set of limits", "name", type_="set_limits", limits=1, name="Customers")
    for rule, does, fields in (
        (1, "rule 1: above R$ 20.00 an operator looks", {"measure": "payment", "max": 2_000, "action": "review"}),
        (
            2,
            "rule 2: R$ 1,000.00 a day, up to R$ 5,000.00 by oneself",
            {"measure": "day", "max": 100_000, "action": "refuse", "own_max": 500_000},
        ),
        (
            3,
            "rule 3: R$ 1,000.00 from 20:00 to 06:00",
            {"measure": "night", "max": 100_000, "action": "refuse", "night_from": "20:00", "night_to": "06:00"},
        ),
    ):
        await stage.step(operator, does, type_="set_rule", rule=rule, limits=1, name=f"Rule {rule}", **fields)
    await stage.step(operator, "puts Bruno under them", type_="put_under_limits", account=bruno.account, limits=1)
    await operator.ask("alerts", watch=True, limit=1)
    paid = await stage.step(bruno, "pays R$ 25.00", "status", "rule", type_="pay", **_between(bruno, cafe, 2_500))
    await stage.sees(operator, "rule", "action", type_="alert")
    await stage.step(
        operator,
        "looks at it, and lets it through",
        "status",
        "amount",
        type_="release",
        payment=new_id(),
        about=paid["payment"],
    )
    await stage.step(bruno, "pays R$ 1,000.01", "status", "rule", type_="pay", **_between(bruno, cafe, 100_001))
    for does, most in (("lowers his own limit: at once", 50_000), ("raises it: it holds tomorrow", 90_000)):
        own = {"account": bruno.account, "measure": "day", "max": most}
        await stage.step(bruno, does, "max", "next_max", type_="set_own_limit", **own)
    await stage.step(operator, "takes Bruno out again", type_="put_under_limits", account=bruno.account)


async def linked(stage: Stage) -> None:
    """All or none; and trying without doing."""
    ana, bruno, cafe = stage.ana, stage.bruno, stage.cafe
    parts = [{"type": "pay", **_between(ana, cafe, 200)}, {"type": "pay", **_between(ana, bruno, 300)}]
    tried = await stage.step(ana, "tries two payments without doing them", type_="dry_run", parts=parts, linked=True)
    for entry in tried["entries"]:
        stage.note(None, f"  would be {entry['what']} {money(entry['amount'])}")
    answer = await stage.step(ana, "does them, all or none", type_="link", parts=parts)
    stage.note(None, "  " + ", ".join(one["status"] for one in answer["payments"]))
    parts = [{"type": "pay", **_between(ana, cafe, 200)}, {"type": "pay", **_between(ana, bruno, 10**13)}]
    answer = await stage.step(ana, "and two of which she cannot pay one", type_="link", parts=parts)
    stage.note(None, "  " + ", ".join(one["status"] for one in answer["payments"]))


async def schedules(stage: Stage) -> None:
    """Later, and again and again, by the calendar of the tenant's country."""
    ana, bruno = stage.ana, stage.bruno
    plan = {"rule": "nth_working_day", "day": 5, "first_on": "2040-01-01"}
    preview = await stage.step(
        ana, "asks when the 5th working day is (payday in Brazil)", type_="preview_schedule", limit=3, **plan
    )
    stage.note(None, "  " + ", ".join(date["day"] for date in preview["dates"]))
    schedule = new_id()
    await stage.step(
        ana,
        "pays Bruno R$ 100.00 on each of them",
        "status",
        type_="create_schedule",
        schedule=schedule,
        payer=ana.account,
        payee=bruno.account,
        amount=10_000,
        description="Salary",
        **plan,
    )
    for does in ("pause", "resume", "cancel"):
        await stage.step(ana, f"{does}s it", "status", type_=f"{does}_schedule", schedule=schedule)


async def disputes(stage: Stage) -> None:
    """A payer wants the money back."""
    ana, cafe, operator = stage.ana, stage.cafe, stage.operator
    paid = await stage.step(ana, "pays the café R$ 30.00", "status", type_="pay", **_between(ana, cafe, 3_000))
    dispute = new_id()
    opening = {
        "dispute": dispute,
        "payment": paid["payment"],
        "reason": "fraud",
        "text": "My phone was stolen that day.",
    }
    tried = await stage.step(
        ana, "asks what disputing it would do", type_="dry_run", parts=[{"type": "open_dispute", **opening}]
    )
    stage.note(None, f"  the café would have {money(tried['dispute']['held'])} held")
    does = "disputes it: somebody else had her phone"
    await stage.step(ana, does, "status", "held", "profile", type_="open_dispute", **opening)
    await stage.step(
        cafe, "accepts a half", "status", type_="answer_dispute", dispute=dispute, answer="accept_part", amount=1_500
    )
    await stage.step(
        operator, "decides: R$ 20.00 go back", "status", "held", type_="decide_dispute", dispute=dispute, amount=2_000
    )
    await stage.step(ana, "claims it", "status", "charged_back", "held", type_="claim_dispute", dispute=dispute)


async def bulk(stage: Stage) -> None:
    """Many payments at once, looked at by two people."""
    ana, bruno, cafe, operator = stage.ana, stage.bruno, stage.cafe, stage.operator
    bulk_id = new_id()
    await stage.step(
        ana, "begins a list of payments", "status", type_="create_bulk", bulk=bulk_id, account=ana.account, atomic=False
    )
    lines = [
        {"payee": bruno.account, "amount": 100, "description": "First"},
        {"payee": cafe.account, "amount": 200, "description": "Second"},
        {"payee": 7, "amount": 300, "description": "To nobody"},
    ]
    await stage.step(
        ana,
        "sends three lines, one of them to nobody",
        "lines",
        "good",
        "bad",
        type_="bulk_lines",
        bulk=bulk_id,
        first=1,
        lines=lines,
    )
    await stage.step(ana, "ends it, and follows it", "status", type_="close_bulk", bulk=bulk_id)
    await ana.ask("bulk", bulk=bulk_id, watch=True)
    await stage.step(ana, "wants to approve it herself", "status", type_="approve_bulk", bulk=bulk_id)
    await stage.step(operator, "approves it", "status", type_="approve_bulk", bulk=bulk_id)
    while (progress := await ana.event("bulk_progress"))["status"] not in {"finished", "failed"}:
        pass
    stage.note(ana, f"  sees {progress['status']}, posted {progress['posted']}, refused {progress['refused']}")
    report = await stage.step(ana, "asks what is wrong", type_="bulk_report", bulk=bulk_id, wrong=True)
    for line in report["lines"]:
        stage.note(None, f"  line {line['number']}: {line['status']}, {line.get('code', '')}")


async def history(stage: Stage) -> None:
    """Look back: search, balances at a past moment, whole lives."""
    ana, cafe = stage.ana, stage.cafe
    paid = await stage.step(
        ana,
        "pays R$ 7.00 with a word of her own",
        "status",
        type_="pay",
        **_between(ana, cafe, 700, description="Pão de queijo", metadata={"trip": "lisbon"}),
    )
    now = await ana.ask("balance", account=ana.account)
    then = await ana.ask("balance_at", account=ana.account, at=paid["at"])
    same = "the same" if (now["posted"], now["number"]) == (then["posted"], then["number"]) else "another"
    stage.note(ana, f"  her balance now and at the moment of that payment: {same}")
    for does, wanted in (
        ("searches for 'pao'", {"text": "pao"}),
        ("searches for trip = lisbon, out, R$ 7.00", {"key": "trip", "value": "lisbon", "direction": "out"}),
    ):
        found = await stage.step(ana, does, type_="search", account=ana.account, limit=1, **wanted)
        for entry in found["entries"]:
            stage.note(None, f"  {entry['what']} {money(entry['amount'])}, {entry['description']}")
    await stage.step(
        ana, "asks for the payment's whole life", "status", "amount", type_="read_payment", payment=paid["payment"]
    )


async def proof(stage: Stage) -> None:
    """A customer proves a payment, without the hub's help."""
    ana, cafe = stage.ana, stage.cafe
    paid = await stage.step(ana, "pays the café R$ 12.00", "status", type_="pay", **_between(ana, cafe, 1_200))
    stage.note(ana, f"  has a signed receipt with the answer: {paid['receipt'][:12]}…")
    keys = await ana.ask("proof_keys")
    while "log" not in (paper := await ana.ask("read_proof", payment=paid["payment"])):
        await asyncio.sleep(0.1)
    stage.note(ana, "  finds it in the log that nobody can rewrite, within a second or so")
    stage.note(ana, f"  proves it with the paper and the keys alone: {prove(paper, keys)}")
    paper["facts"]["amount"] = 1_300
    stage.note(cafe, f"  says that it was R$ 13.00: {prove(paper, keys)}")


CHAPTERS: Final[dict[str, Chapter]] = {
    "holds": holds,
    "refunds": refunds,
    "charges": charges,
    "fees": fees,
    "limits": limits,
    "linked": linked,
    "bulk": bulk,
    "schedules": schedules,
    "disputes": disputes,
    "history": history,
    "proof": proof,
    "ladder": ladder,
    "webhooks": webhooks,
    "privacy": privacy,
}
