"""The payhub command line: one word for each thing an operator does.

It reads the settings, hands them to the room that does the work, and turns what an operator can mend into one
sentence. Rooms are loaded when their command is called: a hub never loads the worker, and help is instant.
"""

import asyncio
import functools
import importlib
import itertools
import os
import secrets
import sqlite3
import sys
import time
import uuid
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import click
import msgspec

from config import launcher
from config.embedded import EmbeddedError, Servers, postgres_binaries
from config.settings import (
    Settings,
    SettingsError,
    address,
    ensure_master_key,
    explain,
    masked,
    unknown_variables,
)

# The first operator of a new tenant; more are opened by operators.
OPERATOR = "operator"
# Of a file that has thousands, nobody reads more before mending the first.
BAD_LINES_SHOWN = 20
SENTENCES = (SettingsError, EmbeddedError, launcher.LaunchError)


class Payhub(click.Group):
    """A group whose commands are listed in the order a person meets them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """List the commands as they were written, not by the alphabet."""
        return list(self.commands)

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; what an operator can mend becomes one sentence and exit code 1."""
        try:
            return super().invoke(ctx)
        except SENTENCES as error:
            raise click.ClickException(str(error)) from error


def room(name: str) -> ModuleType:
    """Load a room of the project when it is needed."""
    return importlib.import_module(name)


@click.group(
    cls=Payhub,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Every setting is an environment variable; `payhub settings` explains them all.",
)
def main() -> None:
    """Payhub: real-time payments over WebSockets, on a ledger in PostgreSQL.

    Start with `payhub run`. It needs nothing else: it brings its own PostgreSQL and Valkey, opens a demo
    tenant, and says where to go.
    """


@main.command()
def run() -> None:
    """Run a whole Payhub on this machine.

    Starts PostgreSQL and Valkey (unless PAYHUB_DATABASE_URL and PAYHUB_REDIS_URL name others), brings the
    database up to date, starts PAYHUB_HUBS hubs and one worker, and keeps them running. Ctrl-C stops
    everything in order. Data and logs are in PAYHUB_DATA_DIR, .payhub unless told otherwise.
    """
    programs = launcher.Programs(hub=_itself("serve"), worker=_itself("work"), mailbox=_itself("mailbox"))
    launcher.Launcher(
        read_settings(), programs, prepare=prepare_all, seed=seed_demo, say=launcher.say_to_terminal
    ).run()


@main.command()
def serve() -> None:
    """Serve as one hub (HTTP and WebSockets), with servers of yours.

    Needs PAYHUB_DATABASE_URL and PAYHUB_REDIS_URL. Start as many as there are cores: hubs on one machine
    share PAYHUB_LISTEN, each with a PAYHUB_ADMIN_LISTEN of its own. SIGTERM drains it.
    """
    launcher.refuse_orphan()
    settings = reachable_settings()
    serving = room("hub.serve")
    try:
        serving.serve(settings)
    except serving.ServeError as error:
        raise click.ClickException(str(error)) from error


@main.command()
@click.option("--only", multiple=True, metavar="JOB", help="Do this job alone; may be given again. Default: all.")
def work(only: tuple[str, ...]) -> None:
    """Work as one worker: empties the outbox, talks to the outside world.

    Needs PAYHUB_DATABASE_URL and PAYHUB_REDIS_URL. SIGTERM stops it after what is under way. With --only, a worker
    does nothing but the jobs named, such as seal_logs or deliver; others must do the rest.
    """
    launcher.refuse_orphan()
    settings = reachable_settings()
    working = room("workers.work")
    try:
        working.work(settings, only)
    except working.WorkError as error:
        raise click.ClickException(str(error)) from error


@main.command()
def mailbox() -> None:
    """Keep mails in memory and show them on a page, for a machine without a mail server.

    The page is at PAYHUB_MAILBOX_LISTEN, on loopback; mails are taken on the next port. `payhub run` starts
    one unless PAYHUB_SMTP_URL names a relay.
    """
    launcher.refuse_orphan()
    room("config.mailbox").keep(read_settings())


@main.command()
@click.option("--temporary", is_flag=True, help="Use a folder of its own and delete it at the end.")
@click.option("--json", "as_json", is_flag=True, help="Say where the servers are as one line of JSON.")
def embedded(temporary: bool, as_json: bool) -> None:
    """Run only PostgreSQL and Valkey, for tests, benchmarks and backups.

    Runs until Ctrl-C, SIGTERM, or the end of standard input when that is a pipe. The tables come with
    `payhub migrate`.
    """
    settings = read_settings()

    def ready(servers: Servers) -> None:
        facts = {
            "database_url": servers.database_url,
            "admin_database_url": servers.admin_database_url,
            "keys_database_url": servers.keys_database_url,
            "keys_admin_database_url": servers.keys_admin_database_url,
            "redis_url": servers.redis_url,
            "data_dir": str(servers.data_dir),
            "bin_dir": str(postgres_binaries()),
            "postgres_pid": servers.postgres.pid,
            "redis_pid": servers.valkey.pid,
        }
        if as_json:
            launcher.say_to_terminal(msgspec.json.encode(facts).decode())
        else:
            for name, value in facts.items():
                launcher.say_to_terminal(f"{name:20}{value}")

    # With --json, standard output is for the one line only.
    launcher.hold_servers(
        settings.data_dir, temporary=temporary, ready=ready, say=lambda line: click.echo(line, err=True)
    )


@main.command()
def migrate() -> None:
    """Bring the database up to date and create the master key if there is none.

    Safe to repeat, and safe from several places at once. Logs in by PAYHUB_ADMIN_DATABASE_URL; hubs of the
    version before go on working.
    """
    settings = reachable_settings()
    applied = prepare(settings)
    for name in applied:
        click.echo(f"applied {name}")
    if not applied:
        click.echo("The database is up to date.")
    if settings.key_service == "local":
        click.echo(f"Master key: {settings.master_key_file} (keep a copy elsewhere)")
    if with_keys(_has_plain, settings):
        click.echo("Some personal data is not sealed yet: `payhub keys seal`, when all hubs are of this version.")


@main.command()
@click.argument("chapter", required=False)
@click.option("--messages", is_flag=True, help="Show every message as it travels, too.")
@click.option("--to", "url", default=None, help="A running hub.  [default: PAYHUB_PUBLIC_URL]")
def tour(chapter: str | None, messages: bool, url: str | None) -> None:
    """Watch people of the demo pay each other: what they send, get and see. Needs a `payhub run`.

    Chapters: holds, refunds, charges, fees, limits, linked, bulk, schedules, disputes, history,
    proof, ladder, webhooks, privacy, or all of them.
    """
    seeding = room("core.seeding")
    guide = room("loadtest.tour.first")
    settings = launcher.with_running_servers(read_settings())
    mailbox_url = f"http://{settings.mailbox_listen}"
    place = guide.Place(url or settings.public_url, mailbox_url, seeding.DEMO_SLUG, seeding.DEMO_PASSWORD)
    if chapter is not None and chapter != "all" and chapter not in guide.CHAPTERS:
        raise click.UsageError(f"There is no chapter {chapter}. There are: {', '.join(guide.CHAPTERS)}, all.")
    try:
        if chapter is None:
            asyncio.run(guide.take_tour(place, click.echo))
        else:
            asyncio.run(guide.take_chapter(place, click.echo, chapter, shows_messages=messages))
    except guide.TourError as error:
        raise click.ClickException(str(error)) from error


def as_person(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that say where and as whom; the command gets a client that is logged in, as `client`."""

    @functools.wraps(command)
    def logged_in(url: str | None, slug: str, login: str, password: str, **arguments: Any) -> None:
        client = room("loadtest.bulk_client")
        try:
            person = client.BulkClient.log_in(url or read_settings().public_url, slug, login, password)
            command(client=person, **arguments)
        except client.BulkError as error:
            raise click.ClickException(str(error)) from error

    for option in (
        click.option("--password", envvar="PAYHUB_PASSWORD", prompt=True, hide_input=True, help="Or PAYHUB_PASSWORD."),
        click.option("--login", required=True, help="Who does this."),
        click.option("--tenant", "slug", default="demo", show_default=True, help="The tenant's slug."),
        click.option("--to", "url", default=None, help="A running hub.  [default: PAYHUB_PUBLIC_URL]"),
    ):
        logged_in = option(logged_in)
    return logged_in


@main.group()
def bulk() -> None:
    """Send files of payments, let a second person approve them, watch them being posted, fetch the report.

    A client: it speaks to a running hub as the person who logs in.
    """


@bulk.command("send")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--account", type=int, help="Who pays.  [default: your only account]")
@click.option(
    "--format", "form", type=click.Choice(["csv", "pain001", "cnab240"]), help="If the ending does not say it."
)
@click.option("--atomic", is_flag=True, help="All lines or none.")
@click.option("--lines", type=click.IntRange(1), help="How many there have to be.")
@click.option("--amount", type=click.IntRange(0), help="What they have to sum up to, in minor units.")
@click.option("--again", is_flag=True, help="The same file as one of the last day, on purpose.")
@click.option("--bulk", "bulk_id", default=None, help="The id of a bulk that broke off, to send its file again.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of text.")
@as_person
def send_bulk(
    client: Any, file: Path, account: int | None, form: str | None, bulk_id: str | None, as_json: bool, **how: Any
) -> None:
    """Send FILE and have every line checked. Somebody else approves it then.

    Exit code 1 if lines are bad: they are listed, and an atomic bulk cannot be approved.
    """
    bulk_id = bulk_id or str(uuid.uuid4())
    media_type = room("loadtest.bulk_client").media_type_of(file, form)
    payer = account or _only(client.accounts())
    client.create(bulk_id, payer, **{name: value for name, value in how.items() if value is not None})
    # Before anything can break off.
    click.echo(f"Bulk {bulk_id}", err=True)
    with _bar("Sending", file.stat().st_size) as reach:
        state = client.send(bulk_id, file, media_type, reach)
    wrong = client.wrong_lines(bulk_id, BAD_LINES_SHOWN) if state["bad"] else []
    show(state, as_json)
    for line in wrong:
        click.echo(f"line {line['number']}: {line['code']} ({line.get('field', 'the line')})", err=True)
    if state["bad"] > len(wrong):
        click.echo(f"… and {state['bad'] - len(wrong)} more: payhub bulk report {bulk_id} --wrong", err=True)
    if state["bad"]:
        sys.exit(1)


@bulk.command("approve")
@click.argument("bulk_id", metavar="BULK")
@click.option("--wait/--no-wait", default=True, show_default=True, help="Watch it being posted.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of text.")
@as_person
def approve_bulk(client: Any, bulk_id: str, wait: bool, as_json: bool) -> None:
    """Let somebody else's checked bulk be posted, and watch it. Exit code 1 if it fails."""
    state = client.do(bulk_id, "approve")
    state = _watch_bulk(client, state) if wait else state
    show(state, as_json)
    if state["status"] == "failed":
        sys.exit(1)


@bulk.command("status")
@click.argument("bulk_id", metavar="BULK")
@click.option("--wait", is_flag=True, help="Watch it until it is over.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of text.")
@as_person
def show_bulk(client: Any, bulk_id: str, wait: bool, as_json: bool) -> None:
    """Show where a bulk stands."""
    state = client.read(bulk_id)
    state = _watch_bulk(client, state) if wait else state
    show(state, as_json)


@bulk.command("cancel")
@click.argument("bulk_id", metavar="BULK")
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of text.")
@as_person
def cancel_bulk(client: Any, bulk_id: str, as_json: bool) -> None:
    """Give a bulk up, as long as posting has not begun."""
    show(client.do(bulk_id, "cancel"), as_json)


@bulk.command("report")
@click.argument("bulk_id", metavar="BULK")
@click.option("--wrong", is_flag=True, help="Only lines that are bad or were refused.")
@click.option("--into", type=click.File("wb", lazy=True), default="-", help="A file.  [default: standard output]")
@as_person
def report_bulk(client: Any, bulk_id: str, wrong: bool, into: Any) -> None:
    """Write what became of every line, as CSV."""
    client.report(bulk_id, into, wrong=wrong)


@main.group()
def tenant() -> None:
    """Open tenants and list them. A tenant is one fintech's world: one currency, its own people and books."""


@tenant.command("create")
@click.argument("slug")
@click.option("--name", required=True, help="What people read.")
@click.option("--currency", default="BRL", show_default=True, help="ISO 4217, one for the whole tenant.")
@click.option("--time-zone", default="America/Sao_Paulo", show_default=True, help="For days and night limits.")
@click.option("--country", default="BR", show_default=True, help="ISO 3166-1 alpha-2, for bank holidays.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of text.")
def create_tenant(slug: str, name: str, currency: str, time_zone: str, country: str, as_json: bool) -> None:
    """Open the tenant SLUG with its system accounts and one operator, whose password is shown once."""
    password = secrets.token_urlsafe(18)

    async def open_(admin: Any, pool: Any, keys: Any) -> Any:
        opening = room("core.people.opening")
        made = await opening.create_tenant(admin, slug, name, currency, time_zone, country)
        role = room("core.people.persons").Role.OPERATOR
        return made, await opening.open_person(pool, keys, made.id, role, "Operator", OPERATOR, password)

    made, operator = with_keys(open_)
    facts = {
        "tenant": made.slug,
        "currency": made.currency,
        "operator_person": operator.person_id,
        "operator_login": OPERATOR,
        "operator_password": password,
    }
    show(facts, as_json)
    if not as_json:
        click.echo("The password is not kept anywhere: note it now.")


@tenant.command("pix")
@click.argument("slug")
@click.option("--key", required=True, help="The tenant's own Pix key: what static QR codes carry.")
@click.option("--city", required=True, help="As it stands in the codes, at most 15 letters.")
def set_pix(slug: str, key: str, city: str) -> None:
    """Say what the QR codes of the tenant SLUG carry: its Pix key and its city."""

    async def write(admin: Any, _: Any) -> Any:
        return await room("core.payments.charges").set_pix_settings(admin, slug, key, city)

    with_database(write)
    click.echo(f"The codes of {slug} carry {key} in {city} from now on.")


@tenant.command("quota")
@click.argument("slug")
@click.option("--per-second", type=int, required=True, help="Messages, all hubs and people of the tenant together.")
def set_quota(slug: str, per_second: int) -> None:
    """Say how many messages a second the tenant SLUG may send; hubs keep it within seconds."""

    async def write(admin: Any, _: Any) -> Any:
        return await room("core.people.quotas").set_quota(admin, slug, per_second)

    with_database(write)
    click.echo(f"{slug} may send {per_second:,} messages per second from now on.")


@tenant.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of text.")
def list_tenants(as_json: bool) -> None:
    """List the tenants."""

    async def read(admin: Any, _: Any) -> Any:
        return await room("core.people.quotas").list_tenants(admin)

    rows = [dict(row) for row in with_database(read)]
    if as_json:
        click.echo(msgspec.json.encode({"tenants": rows}).decode())
    for row in [] if as_json else rows:
        quota = f"{row['messages_per_second']:,} messages per second"
        click.echo(f"{row['slug']:20} {row['currency']}  {row['name']} ({row['time_zone']}), {quota}")


@main.command()
@click.option("--tenant", "slug", required=True, help="The tenant's slug.")
@click.option("--login", required=True, help="Whose token.")
@click.option("--minutes", default=5, show_default=True, type=click.IntRange(1, 60), help="How long it lives.")
def token(slug: str, login: str, minutes: int) -> None:
    """Print an access token for somebody, without their password.

    For support and scripts on the hub's own machine: it needs the master key. It opens a session like a
    log-in does, and ends with it.
    """

    async def issue(_: Any, pool: Any, keys: Any) -> Any:
        found = await room("core.people.opening").find_tenant(pool, slug)
        find_person = room("core.people.credentials").find_person
        person = None if found is None else await find_person(pool, keys, found.id, login)
        if found is None or person is None:
            raise click.ClickException(f"Nobody logs in as {login} in tenant {slug}. `payhub tenant list` shows them.")
        return (await issue_tokens(pool, keys.master, found.id, [person], minutes))[0]

    click.echo(with_keys(issue))


@main.command()
@click.option("--tenant", "slug", required=True, help="The tenant's slug.")
@click.option("--people", "count", default=100, show_default=True, type=click.IntRange(1, 100_000))
@click.option("--role", default="merchant", show_default=True, type=click.Choice(["customer", "merchant"]))
@click.option("--balance", default=100_000_000, show_default=True, help="Minor units for each.")
@click.option("--operators", default=1, show_default=True, type=click.IntRange(1, 1_000), help="Who sees them all.")
@click.option("--minutes", default=60, show_default=True, type=click.IntRange(1, 60), help="How long the tokens live.")
@click.option("--json", "as_json", is_flag=True, help="People, accounts and tokens as one JSON object.")
def seed(slug: str, count: int, role: str, balance: int, operators: int, minutes: int, as_json: bool) -> None:
    """Open people with money and tokens, for load tests. Not for a tenant that real people use."""

    async def open_(_: Any, pool: Any, keys: Any) -> Any:
        persons = room("core.people.persons")
        found = await room("core.people.opening").find_tenant(pool, slug)
        if found is None:
            raise click.ClickException(f"There is no tenant {slug}: `payhub tenant create {slug} --name …` opens it.")
        opening = room("core.people.opening")
        staff = [
            (await opening.open_person(pool, keys, found.id, persons.Role.OPERATOR, "Load test")).person_id
            for _ in range(operators)
        ]
        crowd = await room("core.seeding").open_crowd(
            pool, keys, found.id, persons.Role[role.upper()], count, balance, staff[0]
        )
        people = [*staff, *(one.person_id for one in crowd)]
        tokens = await issue_tokens(pool, keys.master, found.id, people, minutes)
        seeing = [{"person": person, "token": token} for person, token in zip(staff, tokens, strict=False)]
        return {
            "tenant": slug,
            "operator": seeing[0],
            "operators": seeing,
            "people": [
                {"person": one.person_id, "account": one.account_id, "token": token}
                for one, token in zip(crowd, tokens[operators:], strict=True)
            ],
        }

    facts = with_keys(open_)
    if as_json:
        click.echo(msgspec.json.encode(facts).decode())
    else:
        click.echo(f"Opened {count} people in {slug}. With --json you get their accounts and tokens.")


@main.command("rotate-key")
@click.option("--algorithm", default="EdDSA", show_default=True, type=click.Choice(["EdDSA", "ES256"]))
def rotate_key(algorithm: str) -> None:
    """Sign access tokens with a new key. Hubs learn it first; tokens of the old one stay valid until they end."""

    async def rotate(admin: Any, _: Any) -> Any:
        return await room("core.keyring").rotate(admin, _open_master(reachable_settings()), algorithm)

    click.echo(f"Key {with_database(rotate)} signs from half a minute from now on.")


@main.group()
def keys() -> None:
    """Rotate the keys of personal data, seal what is from before there were keys.

    Keys of persons are wrapped by a key of their tenant's, those by the master key of PAYHUB_KEY_SERVICE. Everything
    goes on meanwhile.
    """


@keys.group("rotate")
def rotate_keys() -> None:
    """Replace keys. Whoever is interrupted begins again and finishes."""


@rotate_keys.command("master")
@click.option("--only-new", is_flag=True, help="Only make a new one; then copy the file to every machine.")
@click.option("--only-rewrap", is_flag=True, help="Only wrap everything by the newest one.")
def rotate_master(only_new: bool, only_rewrap: bool) -> None:
    """Make a new master key, and wrap all keys of tenants and all signing keys by it.

    If the key service is a file and there are several machines: first --only-new on one of them, copy the file to the
    others, then --only-rewrap. The old master key goes on opening; `payhub keys forget-old-master` drops it.
    """

    async def rotate(admin: Any, _: Any, safe: Any) -> int:
        if not only_rewrap:
            await safe.master.service.rotate()
        if only_new:
            return 0
        with _part_bar("Keys of tenants") as reach:
            count: int = await room("core.keys.rotating").rotate_master(safe, reach)
        return count + int(await room("core.keyring").rewrap(admin, safe.master))

    if only_new and only_rewrap:
        raise click.UsageError("--only-new and --only-rewrap are the two halves of one thing: give one of them.")
    count = with_keys(rotate)
    click.echo("A new master key wraps from now on." if only_new else f"{count} keys are wrapped by the new one.")


@rotate_keys.command("tenant")
@click.argument("slug")
def rotate_tenant(slug: str) -> None:
    """Replace the key of the tenant SLUG, and wrap the keys of all its persons by the new one."""

    async def rotate(_: Any, pool: Any, safe: Any) -> int:
        tenant_id = await _find_tenant(pool, slug)
        with _part_bar("Keys of persons") as reach:
            count: int = await room("core.keys.rotating").rotate_tenant(safe, tenant_id, reach)
        return count

    click.echo(f"{with_keys(rotate)} keys of persons are wrapped by the new one.")


@rotate_keys.command("person")
@click.argument("slug")
@click.argument("persons", nargs=-1, metavar="[PERSON]…", type=click.UUID)
@click.option("--all", "everybody", is_flag=True, help="Everybody of the tenant.")
def rotate_person(slug: str, persons: tuple[uuid.UUID, ...], everybody: bool) -> None:
    """Give persons of the tenant SLUG new keys, and seal all that is theirs anew. Takes half a minute at least.

    So long somebody may still be writing what the old key sealed.
    """
    if everybody == bool(persons):
        raise click.UsageError("Name the persons by their ids, or say --all.")
    rotating = room("core.keys.rotating")

    async def rotate(admin: Any, pool: Any, safe: Any) -> tuple[int, int]:
        tenant_id = await _find_tenant(pool, slug)
        wanted = list(map(str, persons))
        if everybody:
            wanted = await rotating.list_everybody(safe, tenant_id)
        with _part_bar("Persons") as reach:
            count: int = await rotating.rotate_persons(safe, admin, tenant_id, wanted, reach)
        return len(wanted), count

    people, count = with_keys(rotate)
    click.echo(f"{people} persons have new keys, and {count} values are sealed by them.")


@keys.command("forget-old-master")
def forget_old_master() -> None:
    """Drop old master keys from PAYHUB_MASTER_KEY_FILE. Refused while anything is wrapped by one of them."""

    async def forget(_: Any, pool: Any, safe: Any) -> int:
        dropped: int = await room("core.keys.rotating").forget_old_master(
            safe, await room("core.keyring").wrapped(pool)
        )
        return dropped

    click.echo(f"{with_keys(forget)} old master keys are gone from this machine's file.")


@keys.command("seal")
def seal() -> None:
    """Seal what is personal and from before there were keys. Once, when all hubs and workers are of this version.

    `payhub run` does it by itself.
    """
    with _part_bar("Values") as reach:
        count, left = with_keys(functools.partial(_seal_plain, reach=reach))
    click.echo(f"{count} values are sealed." if count or not left else "Nothing could be sealed.")
    if left:
        raise click.ClickException(
            f"{left} values stay as they are: their persons were erased, or two log in by one name."
        )


@keys.command("measure", hidden=True)
@click.option("--seconds", type=click.FloatRange(0.1, 60), default=2, show_default=True, help="Of each measurement.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of text.")
def measure_keys(seconds: float, as_json: bool) -> None:
    """Measure how fast keys are here. Not where real people are: it leaves marks of persons who never were."""

    async def measure(_: Any, __: Any, safe: Any) -> dict[str, Any]:
        figures: dict[str, Any] = await room("core.keys.measuring").measure(safe, seconds)
        return figures

    show(with_keys(measure), as_json)


@main.group()
def privacy() -> None:
    """Answer for personal data: the record of processing, exports, erasures, retention, incidents (LGPD).

    PRIVACY.md says what Payhub does of it and what the institution has to do itself.
    """


@privacy.command("controller")
@click.argument("slug")
@click.option("--name", help="The institution, as the authority knows it.  [default: the tenant's name]")
@click.option("--document", help="Its CNPJ.")
@click.option("--address", help="Where it is.")
@click.option("--contact", help="Where people ask.")
@click.option("--officer", help="The encarregado (art. 41).")
@click.option("--officer-contact", help="How to reach them.")
@click.option("--operator", help="Who processes for it, if somebody does (art. 5, VII).")
@click.option("--small-agent", "is_small_agent", is_flag=True, help="Of Resolução CD/ANPD 2/2022: twice the time.")
@click.option(
    "--keep-all-identities", "keeps_all_identities", is_flag=True, help="Of people who never moved money, too."
)
def set_controller(slug: str, **said: Any) -> None:
    """Say who answers for the data of the tenant SLUG. What is left out is no longer said."""
    controller = room("core.privacy.controller")

    async def write(admin: Any, pool: Any) -> None:
        tenant = await _tenant(pool, slug)
        words = {name: value for name, value in said.items() if value not in (None, False)}
        await controller.set_controller(admin, slug, controller.Controller(**{"name": tenant.name, **words}))

    with_database(write)
    click.echo(f"The record of processing and all drafts of {slug} say so from now on.")


@privacy.command("record")
@click.argument("slug")
@click.option("--language", default="pt", show_default=True, type=click.Choice(["pt", "en"]))
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of a page in Markdown.")
def write_record(slug: str, language: str, as_json: bool) -> None:
    """Write the record of processing of the tenant SLUG (art. 37), from the register of data."""
    record = room("core.privacy.record")

    async def read(_: Any, pool: Any) -> Any:
        tenant = await _tenant(pool, slug)
        said, _ = await room("core.privacy.controller").read_controller(pool, tenant.id)
        asked = [
            record.Asked(one.purpose, one.version, one.title_pt if language == "pt" else one.title_en)
            for one in await room("core.privacy.consents").list_purposes(pool, tenant.id)
        ]
        return record.record_of(said, asked, language, datetime.now(UTC).isoformat(timespec="seconds"))

    made = with_database(read)
    click.echo(msgspec.json.encode(made).decode() if as_json else record.to_markdown(made), nl=as_json)


@privacy.command("check")
def check_register() -> None:
    """Hold the register of data against the databases as they are. Exit code 1 if a column is not classified."""
    catalogue, tables = room("core.privacy.catalogue"), room("core.privacy.tables")
    found = reachable_settings()

    async def read(admin: Any, _: Any) -> list[str]:
        async with admin.acquire() as connection:
            gaps = await catalogue.find_gaps(connection, tables.LEDGER)
        keys = await room("core.database").open_pool(found.keys_admin_database_url, size_max=1, name="payhub-cli")
        try:
            async with keys.acquire() as connection:
                return [*gaps, *(f"keys: {gap}" for gap in await catalogue.find_gaps(connection, tables.KEYS))]
        finally:
            await keys.close()

    gaps = with_database(read, found)
    for gap in gaps:
        click.echo(gap)
    if gaps:
        sys.exit(1)
    click.echo("Every column of both databases is classified.")


@privacy.command("export")
@click.option("--into", "folder", default=".", type=click.Path(file_okay=False, path_type=Path), help="A folder.")
@click.option("--language", default="pt", show_default=True, type=click.Choice(["pt", "en"]))
@click.option("--to", "url", default=None, help="A running hub.  [default: PAYHUB_PUBLIC_URL]")
@click.option("--tenant", "slug", default="demo", show_default=True, help="The tenant's slug.")
@click.option("--login", required=True, help="Whose data.")
@click.option("--password", envvar="PAYHUB_PASSWORD", prompt=True, hide_input=True, help="Or PAYHUB_PASSWORD.")
def export_person(folder: Path, language: str, url: str | None, slug: str, login: str, password: str) -> None:
    """Fetch everything that is held about whoever logs in, as JSON and PDF (art. 18, II and V).

    A client: it speaks to a running hub as that person, and nobody else can.
    """
    client = room("loadtest.privacy_client")
    try:
        person = client.PrivacyClient.log_in(url or read_settings().public_url, slug, login, password)
        state = person.ask_export(language)
        with _part_bar("Making") as reach:
            for state in person.follow_export(state["export"]):  # noqa: B020 - the same export, as it moves
                reach(state["done"], max(state["total"], 1))
        if state["status"] != "ready":
            raise click.ClickException(f"The export is {state['status']}. Ask again.")
        folder.mkdir(parents=True, exist_ok=True)
        for file in person.fetch_all(state, folder):
            click.echo(file)
    except room("loadtest.bulk_client").BulkError as error:
        raise click.ClickException(str(error)) from error


@privacy.command("erase")
@click.argument("slug")
@click.argument("person", type=click.UUID)
@click.option("--why", help="For the audit trail: a word or a number of a case, nothing personal.")
@click.option("--dry-run", is_flag=True, help="Only say what is in the way and what has to be kept.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of text.")
def erase_person(slug: str, person: uuid.UUID, why: str | None, dry_run: bool, yes: bool, as_json: bool) -> None:
    """Erase a PERSON of the tenant SLUG who asked for it (art. 18, VI), as far as nothing obliges to keep it.

    Exit code 1 if something has to be done first. Sockets of theirs are closed by the hubs within seconds.
    """
    erasures, trail = room("core.privacy.erasures"), room("core.audit.trail")
    if not dry_run and not yes:
        click.confirm("Nobody can ever read again what is erased. Erase this person?", abort=True)

    async def erase(_: Any, pool: Any, keys: Any) -> Any:
        tenant = await _tenant(pool, slug)
        known = await erasures.read_erasure(pool, tenant.id, str(person))
        ahead = await erasures.look_ahead(pool, tenant.id, str(person))
        if known is None and not dry_run and not ahead.obstacles:
            said = "the person asked the institution for it" if why is None else why
            asked = await erasures.ask_erasure(
                pool, keys, tenant.id, str(person), trail.NOBODY, by_operator=True, why=said
            )
            known = asked.erasure
        return ahead, known

    ahead, known = with_keys(erase)
    duties = ahead.duties if known is None else known.kept
    obstacles = [] if known is not None else [[one.code.value, one.account, one.about] for one in ahead.obstacles]
    show(
        {
            "status": "not_asked" if known is None else known.status.name.lower(),
            "in_the_way": obstacles,
            "kept": [[duty.code, duty.law, duty.until.isoformat()] for duty in duties],
            "due_on": None if known is None else known.due_on.isoformat(),
            "erased_at": None if known is None or known.erased_at is None else known.erased_at.isoformat(),
        },
        as_json,
    )
    if obstacles:
        sys.exit(1)


@privacy.command("retention")
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of text.")
def run_retention(as_json: bool) -> None:
    """Do now what workers do by themselves: finish erasures whose day has come, remove what was kept for a time."""

    async def run(_: Any, pool: Any, keys: Any) -> Any:
        return await room("core.privacy.retention").run_retention(pool, keys, 100_000)

    report = with_keys(run)
    show(
        {
            "erased": len(report.erased),
            "waiting_for_their_day": len(report.waiting),
            "something_in_the_way": [list(one) for one in report.obstructed],
            "failed": [list(one) for one in report.failed],
            "exports_removed": report.exports_removed,
            "texts_emptied": report.texts_emptied,
        },
        as_json,
    )
    if report.failed:
        sys.exit(1)


MOMENT = click.DateTime(["%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%dT%H:%M%z"])


@privacy.command("incident")
@click.argument("slug")
@click.option("--known-at", required=True, type=MOMENT, help="When it was known that personal data were hit.")
@click.option("--from", "began_at", required=True, type=MOMENT, help="Like 2026-03-01T12:00:00-03:00.")
@click.option("--to", "ended_at", required=True, type=MOMENT)
@click.option("--hit", "tables", multiple=True, metavar="TABLE", help="What was hit; repeat it.  [default: everything]")
@click.option(
    "--scope",
    default="store",
    show_default=True,
    type=click.Choice(["store", "traffic"]),
    help="All that was there (a copy got out), or what came about meanwhile (somebody listened).",
)
@click.option("--keys-too", is_flag=True, help="The keys that seal it were hit as well.")
@click.option("--what", required=True, help="What happened, in a sentence without personal data.")
@click.option("--cause", help="Its main cause, as far as it is known.")
@click.option("--measures", "measures_after", help="What was done since to protect the data.")
@click.option("--mitigation", help="What is done about its effects on people.")
@click.option("--id", "incident_id", type=click.UUID, default=None, help="Of one that was written down, to draft anew.")
@click.option("--into", "folder", default=".", type=click.Path(file_okay=False, path_type=Path), help="A folder.")
def write_incident(
    slug: str,
    known_at: datetime,
    began_at: datetime,
    ended_at: datetime,
    tables: tuple[str, ...],
    scope: str,
    keys_too: bool,
    incident_id: uuid.UUID | None,
    folder: Path,
    **notes: str | None,
) -> None:
    """Write an incident of the tenant SLUG down, count whom it concerns, and draft what has to be told (art. 48).

    Makes incident.json, anpd.md (12 items), titulares.md (7 items) and persons.csv in a folder, and sends nothing.
    """
    incidents, drafts = room("core.privacy.incidents"), room("core.privacy.drafts")
    nobody = room("core.audit.trail").NOBODY

    async def record(_: Any, pool: Any) -> Any:
        tenant = await _tenant(pool, slug)
        made = await incidents.record_incident(
            pool,
            tenant.id,
            str(incident_id or uuid.uuid4()),
            known_at,
            began_at,
            ended_at,
            incidents.Hit(tables, scope == "store", keys_too),
            incidents.Notes(**notes),
            nobody,
        )
        said, place = await room("core.privacy.controller").read_controller(pool, tenant.id)
        hit, last = [], None
        while page := await incidents.list_persons(pool, tenant.id, made.id, 5_000, last):
            hit += page
            last = page[-1]
        return made, said, place, hit

    made, said, place, hit = with_database(record)
    now = datetime.now(UTC)
    folder.mkdir(parents=True, exist_ok=True)
    for name, write in (("anpd.md", drafts.for_authority), ("titulares.md", drafts.for_persons)):
        (folder / name).write_text(write(made, said, place.time_zone, now))
    (folder / "incident.json").write_bytes(msgspec.json.encode(made._asdict()))
    (folder / "persons.csv").write_text("".join(f"{one}\n" for one in ("person", *hit)))
    show(
        {
            "incident": made.id,
            "persons": made.persons,
            "of": made.total_persons,
            "tell_by": made.tell_by.isoformat(),
            "criteria_of_art_5": incidents.criteria(made.figures),
            **{figure.kind.value: f"{figure.persons}{' (sealed)' * figure.is_sealed}" for figure in made.figures},
            "drafts": str(folder),
        },
        as_json=False,
    )


@privacy.command("incidents")
@click.argument("slug")
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of text.")
def list_incidents(slug: str, as_json: bool) -> None:
    """List the register of incidents of the tenant SLUG, the latest first (Res. CD/ANPD 15/2024, art. 10)."""

    async def read(_: Any, pool: Any) -> Any:
        tenant = await _tenant(pool, slug)
        return await room("core.privacy.incidents").list_incidents(pool, tenant.id, 1_000)

    found = with_database(read)
    if as_json:
        click.echo(msgspec.json.encode({"incidents": [one._asdict() for one in found]}).decode())
        return
    for one in found:
        told = "told" if one.told_authority_at else f"tell by {one.tell_by.isoformat()}"
        click.echo(f"{one.known_at.isoformat()}  {one.id}  {one.persons} persons  {told}")


async def _tenant(pool: Any, slug: str) -> Any:
    found = await room("core.people.opening").find_tenant(pool, slug)
    if found is None:
        raise click.ClickException(f"There is no tenant {slug}: `payhub tenant list` shows them.")
    return found


@main.group(invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of text.")
@click.pass_context
def verify(ctx: click.Context, as_json: bool) -> None:
    """Prove the books: every tenant sums to zero, every balance is the sum of its numbered entries.

    Reads everything in one snapshot while payments go on. Exit code 1 if anything is wrong. The commands below prove
    what others hold, and need no database.
    """
    if ctx.invoked_subcommand is not None:
        return

    async def check(admin: Any, _: Any) -> Any:
        async with admin.acquire() as connection:
            return await room("core.ledger.verify").verify(connection)

    verdict = with_database(check)
    show(
        {
            "accounts": verdict.accounts,
            "payments": verdict.payments,
            "unbalanced_tenants": verdict.unbalanced_tenants,
            "broken_accounts": verdict.broken_accounts,
            "sound": verdict.is_sound,
        },
        as_json,
    )
    if not verdict.is_sound:
        sys.exit(1)


@verify.command("receipt")
@click.argument("file", type=click.File("rb"))
@click.option("--keys", "keys_file", type=click.File("rb"), required=True, help="What /docs/proof-keys.json gave.")
def verify_receipt(file: Any, keys_file: Any) -> None:
    """Prove a payment from the paper that its payer or payee keeps (what read_proof gave, as JSON; - for a pipe)."""
    papers = room("core.proof.papers")
    with proving():
        for sentence in papers.check_paper(file.read(), papers.read_keys(keys_file.read())):
            click.echo(sentence)


@verify.command("log")
@click.argument("file", type=click.File("rb"))
@click.option("--keys", "keys_file", type=click.File("rb"), help="Trust these keys, not those in the file.")
@click.option(
    "--anchors",
    "anchor_files",
    type=click.File("rb"),
    multiple=True,
    help="Heads that were kept elsewhere; may be repeated.",
)
@click.option("--witness-keys", "witness_files", type=click.File("rb"), multiple=True, help="What its /v1/key gave.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of text.")
def verify_log(file: Any, keys_file: Any, anchor_files: Any, witness_files: Any, as_json: bool) -> None:
    """Prove a whole log from its file (payhub export log), leaf by leaf and head by head, without a database.

    Without --keys it is proved that the file is whole, not whose it is. Without --anchors it may have been rewritten
    or cut off by somebody who has the signing key: give the append-only files, `payhub anchors bucket`, what
    `payhub witness heads` fetched. Exit code 1, and the first thing that is wrong, if it is not.
    """
    checking, papers, kept = room("core.proof.checking"), room("core.proof.papers"), room("core.proof.kept")
    with proving():
        trusted = None if keys_file is None else papers.read_keys(keys_file.read())
        witnesses = {kid: key for one in witness_files for kid, key in papers.read_keys(one.read()).items()}
        anchors = [kept.KeptFile(one, one.name) for one in anchor_files]
        size = os.fstat(file.fileno()).st_size
        with _bar("Proving", size) as reach:
            heads = itertools.chain.from_iterable(anchors)
            verdict = checking.check_log(_counted(file, reach), trusted, heads, witnesses=witnesses)
        for one in anchors:
            if one.source not in verdict.kept_by:
                raise checking.LogBroken(f"{one.source} holds no head of this log: it proves nothing.")
    show(
        {
            "tenant": verdict.slug,
            "leaves": verdict.leaves,
            "payments": verdict.payments,
            "audit_entries": verdict.entries,
            "heads": verdict.heads,
            "sealed_at": verdict.sealed_at.isoformat(),
            "anchored_heads": verdict.kept_heads,
            "anchored_leaves": verdict.kept_to,
            "cosigned_heads": verdict.cosigned,
            "unreadable_lines": sum(one.unreadable for one in anchors),
            "keys": "those in the file" if trusted is None else "yours",
            "sound": True,
        },
        as_json,
    )


@verify.command("ledger")
@click.option("--tenant", "slug", help="This one alone.  [default: all]")
@click.option("--keys", "keys_file", type=click.File("rb"), help="Trust these keys, not those in the database.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of text.")
def verify_ledger(slug: str | None, keys_file: Any, as_json: bool) -> None:
    """Do every payment once more, by the oracle's rules, and hold the books and the log to what comes out.

    Of a live database, in one snapshot while payments go on, or of one that was restored. It needs no key. Exit code
    1, and the first payment and field that differ, if anything does.
    """
    replaying, covering = room("core.ledger.replaying"), room("core.proof.covering")
    diverged = room("core.ledger.replay").Divergence, room("core.proof.receipts").Unproved
    trusted = None
    if keys_file is not None:
        with proving():
            trusted = room("core.proof.papers").read_keys(keys_file.read())
    began = time.monotonic()

    async def check(admin: Any, _: Any) -> dict[str, int]:
        async with admin.acquire() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
            # It works on what it has read for as long as that takes.
            await connection.execute("set local idle_in_transaction_session_timeout = 0")
            keys = trusted or await room("core.keyring").load_public_keys(connection)
            tenants = await connection.fetch("select id, slug from payhub.tenants order by id")
            chosen = [(id_, name) for id_, name in tenants if slug in (None, name)]
            if slug is not None and not chosen:
                raise click.ClickException(f"There is no tenant {slug}.")
            # The installation's own log, of what belongs to no tenant.
            chosen += [(0, "the installation")] if slug is None else []
            sums = dict.fromkeys(("payments", "leaves", "logged_payments", "audit_entries", "heads"), 0)
            for tenant_id, name in chosen:
                try:
                    count = await replaying.count_done(connection, tenant_id)
                    with _bar(f"Replaying {name}", count) as reach:
                        sums["payments"] += await replaying.replay_tenant(connection, tenant_id, reach)
                    count = await covering.count_logged(connection, tenant_id)
                    with _bar(f"Hashing the log of {name}", count) as reach:
                        covered = await covering.check_cover(connection, tenant_id, keys, reach)
                except diverged as error:
                    raise click.ClickException(f"Not sound. In {name}: {error}") from error
                for what, count in zip(("leaves", "logged_payments", "audit_entries", "heads"), covered, strict=True):
                    sums[what] += count
            return {"tenants": len(tenants) if slug is None else 1, **sums}

    facts = with_database(check)
    show({**facts, "seconds": round(time.monotonic() - began, 1), "sound": True}, as_json)


@main.group(invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of text.")
@click.pass_context
def anchors(ctx: click.Context, as_json: bool) -> None:
    """Show how far the signed heads of each log have got to each place outside the database.

    Exit code 1 if a place is more than two minutes behind, or if a witness says that a log is not the one it saw.
    """
    if ctx.invoked_subcommand is not None:
        return
    late_s, client = room("workers.anchoring").LATE_S, room("workers.anchors.witness")
    found = read_settings()
    try:
        witnesses = [f"witness:{one.name}" for one in client.read_witnesses(found.witnesses_file)]
    except client.WitnessesRefused as error:
        raise click.ClickException(str(error)) from error
    places = ["file", *(["bucket"] if found.anchor_bucket else []), *witnesses]

    async def read(admin: Any, _: Any) -> Any:
        return await room("core.proof.anchors").read_progress(admin, places)

    now, is_well, rows = datetime.now(UTC), True, []
    for one in with_database(read):
        lag_s = round((now - one.waits_since).total_seconds()) if one.waits_since else 0
        if one.log_size < one.size:
            state = "the log is shorter"
        elif one.refused_at is not None:
            state = f"refused at {one.refused_at.isoformat(timespec='seconds')}"
        elif one.place not in places:
            state = "no place any more"
        elif lag_s > late_s:
            state = "late"
        else:
            state = "well"
        is_well &= state in ("well", "no place any more")
        rows.append(
            {
                "tenant": one.slug,
                "place": one.place,
                "leaves": one.size,
                "log_leaves": one.log_size,
                "lag_s": lag_s,
                "at": one.anchored_at.isoformat(timespec="seconds") if one.anchored_at else None,
                "state": state,
            }
        )
    if as_json:
        click.echo(msgspec.json.encode({"anchors": rows, "well": is_well}).decode())
    else:
        for row in rows:
            log = row["tenant"] or "(installation)"
            how = f"{row['leaves']:>10} of {row['log_leaves']:<10} {row['lag_s']:>6} s behind   {row['state']}"
            click.echo(f"{log:20}{row['place']:24}{how}")
    if not is_well:
        sys.exit(1)


@anchors.command("bucket")
@click.option("--into", type=click.File("wb", lazy=True), default="-", help="A file.  [default: standard output]")
def read_bucket(into: Any) -> None:
    """Write all heads that the bucket holds, of all logs, as a file for `payhub verify log --anchors`.

    Every version of every object: what was put over another one later is there, too, and hides nothing.
    """
    places = room("workers.anchors.places")

    async def read(choice: dict[str, Any]) -> None:
        bucket = room("workers.anchors.bucket")
        place = bucket.AnchorBucket(bucket.BucketChoice(**choice), time.time)
        try:
            async for content in place.read():
                into.write(content if content.endswith(b"\n") else content + b"\n")
        finally:
            await place.close()

    found = read_settings()
    if not found.anchor_bucket:
        raise click.ClickException("PAYHUB_ANCHOR_BUCKET names no bucket.")
    try:
        asyncio.run(read(found.bucket_choice()))
    except places.PlaceAway as error:
        raise click.ClickException(f"The bucket {found.anchor_bucket} cannot be read: {error.code}.") from error


@main.group(invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of text.")
@click.pass_context
def sinks(ctx: click.Context, as_json: bool) -> None:
    """Show how far the systems of PAYHUB_SINKS_FILE have been told what is done, tenant by tenant.

    Exit code 1 if one is more than two minutes behind.
    """
    if ctx.invoked_subcommand is not None:
        return
    late_s = room("workers.sinks.telling").LATE_S
    declared = {one.name: one for one in _read_sinks()}

    async def read(admin: Any, _: Any) -> Any:
        return await room("core.sinks.cursors").read_progress(admin)

    now, is_well, rows = datetime.now(UTC), True, []
    for one in with_database(read):
        sink = declared.get(one.sink)
        lag_s = round((now - one.waits_since).total_seconds()) if one.waits_since else 0
        if sink is None or (sink.tenants is not None and one.slug not in sink.tenants):
            state = "not in the file"
        elif lag_s > late_s:
            state, is_well = "late", False
        else:
            state = "well"
        rows.append(
            {
                "sink": one.sink,
                "tenant": one.slug,
                "leaf": one.number,
                "behind": one.behind,
                "lag_s": lag_s,
                "state": state,
                "error": one.code,
                "since": _moment(one.failing_since),
                "taken_at": _moment(one.last_taken_at),
            }
        )
    known = {(row["sink"], row["tenant"]) for row in rows}
    begun = {name for name, _ in known}
    # A worker follows what the file names within seconds; what it does not find is a slip of the pen.
    missing = [(name, "") for name in declared if name not in begun] + [
        (name, slug) for name, one in declared.items() for slug in one.tenants or () if (name, slug) not in known
    ]
    for name, slug in missing:
        is_well = False
        state = "no such tenant yet" if slug and name in begun else "no worker follows it"
        rows.append({"sink": name, "tenant": slug, "state": state})
    if as_json:
        click.echo(msgspec.json.encode({"sinks": rows, "well": is_well}).decode())
    for row in [] if as_json else rows:
        how = f"{row['behind']:>8} batches, {row['lag_s']:>6} s behind   " if "behind" in row else ""
        why = f": {row['error']} since {row['since']}" if row.get("error") else ""
        click.echo(f"{row['sink']:20}{row['tenant']:20}{how}{row['state']}{why}")
    if not is_well:
        sys.exit(1)


@sinks.command("replay")
@click.argument("name")
@click.option("--tenant", "slug", required=True, help="The tenant's slug.")
@click.option("--from", "since", required=True, metavar="TIME", help="Like 2026-12-01T08:00:00Z; a zone has to be.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of text.")
def replay_sink(name: str, slug: str, since: str, as_json: bool) -> None:
    """Tell the sink NAME again what was done in a tenant since a moment, or before there was the sink.

    Events keep their ids. The sink is told of nothing new of that tenant until it has been told all of this.
    """
    try:
        moment = datetime.fromisoformat(since)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise click.UsageError(f"{since!r} is no moment: write one like 2026-12-01T08:00:00Z.")

    async def write(admin: Any, _: Any) -> Any:
        return await room("core.sinks.cursors").replay(admin, name, slug, moment)

    done = with_database(write)
    if as_json:
        click.echo(
            msgspec.json.encode({"sink": name, "tenant": slug, "leaf": done.number, "leaves": done.leaves}).decode()
        )
    else:
        click.echo(f"{name} is told {done.leaves:,} batches of {slug} again, from leaf {done.number:,} of its log on.")


@sinks.command("forget")
@click.argument("name")
def forget_sink(name: str) -> None:
    """Forget how far NAME was told, when it is not in the file any more. Named there again, it begins anew."""
    if name in {one.name for one in _read_sinks()}:
        raise click.ClickException(f"{name} is in the file: take it out of it first, and restart the workers.")

    async def write(admin: Any, _: Any) -> Any:
        return await room("core.sinks.cursors").forget(admin, name)

    click.echo(f"{name} followed {with_database(write):,} tenants, and is forgotten.")


def _read_sinks() -> Any:
    """The sinks in the operator's file."""
    choices, found = room("workers.sinks.choices"), read_settings()
    try:
        return choices.read_sinks(found.sinks_file, room("core.outside").Outside(found.sink_networks))
    except choices.SinksRefused as error:
        raise click.ClickException(str(error)) from error


def _moment(at: datetime | None) -> str | None:
    return at.isoformat(timespec="seconds") if at else None


WITNESS_DATA = click.option(
    "--data",
    "folder",
    envvar="PAYHUB_WITNESS_DATA",
    type=click.Path(file_okay=False, path_type=Path),
    default=".payhub-witness",
    show_default=True,
    help="The witness's own folder: its key and its memory.",
)


@main.group()
def witness() -> None:
    """Be a witness of somebody else's logs, or read what witnesses have seen.

    A witness keeps the last head of each log that it is shown, signs a new one only with the proof that the log still
    begins with it, and refuses any other. Keep it on a machine that nobody of the watched Payhub can reach into.
    """


@witness.command("serve")
@WITNESS_DATA
@click.option("--listen", default="127.0.0.1:7080", show_default=True, help="host:port, behind a proxy that ends TLS.")
@click.option("--log-level", default="info", type=click.Choice(["debug", "info", "warning", "error"]))
def serve_witness(folder: Path, listen: str, log_level: str) -> None:
    """Serve as a witness. SIGTERM stops it."""
    try:
        host, port = address(listen)
    except ValueError:
        raise click.UsageError(f"--listen is {listen!r}: write host:port.") from None
    with witnessing():
        room("hub.witness.serve").serve(folder, host, port, log_level)


@witness.command("admit")
@click.argument("name")
@WITNESS_DATA
@click.option("--keys", "keys_file", type=click.File("rb"), required=True, help="Their /docs/proof-keys.json.")
@click.option("--url", required=True, help="Where they reach this witness, like https://witness.example.")
@click.option("--as", "called", default="witness", show_default=True, help="What they are to call it.")
def admit(name: str, folder: Path, keys_file: Any, url: str, called: str) -> None:
    """Let the institution NAME show its heads here; prints what it puts into its PAYHUB_WITNESSES_FILE, a token too."""
    with witnessing(), proving(), _store(folder) as store:
        token = store.admit(name, room("core.proof.papers").read_keys(keys_file.read()))
    entry = {"name": called, "url": url, "public_key": _witness_key(folder), "token": token}
    click.echo(msgspec.json.format(msgspec.json.encode([entry])).decode())


@witness.command("learn")
@click.argument("name")
@WITNESS_DATA
@click.option("--keys", "keys_file", type=click.File("rb"), required=True, help="Their /docs/proof-keys.json.")
def learn_keys(name: str, folder: Path, keys_file: Any) -> None:
    """Learn the keys of the institution NAME anew, after it has announced another one."""
    with witnessing(), proving(), _store(folder) as store:
        store.replace_keys(name, room("core.proof.papers").read_keys(keys_file.read()))
    click.echo(f"The keys of {name} are known.")


@witness.command("token")
@click.argument("name")
@WITNESS_DATA
def replace_token(name: str, folder: Path) -> None:
    """Give the institution NAME another token; the one it had ends. It is shown this once."""
    with witnessing(), _store(folder) as store:
        click.echo(store.replace_token(name))


@witness.command("restart")
@click.argument("name")
@click.argument("tenant", type=click.IntRange(0))
@click.option("--why", required=True, help="For whoever asks later.")
@WITNESS_DATA
def restart_log(name: str, tenant: int, why: str, folder: Path) -> None:
    """Take the next head of TENANT's log of NAME as its first: it was restored from a backup, and its people say so.

    What was seen before, and what was refused, stays.
    """
    with witnessing(), _store(folder) as store:
        store.begin_anew(name, tenant, why, int(time.time() * 1_000_000))
    click.echo(f"The next head of log {tenant} of {name} begins it anew.")


@witness.command("refusals")
@WITNESS_DATA
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of text.")
def list_refusals(folder: Path, as_json: bool) -> None:
    """List what this witness refused, with both heads. Exit code 1 if there is anything."""
    kept = room("core.proof.kept")
    with witnessing(), _store(folder) as store:
        found = store.refusals()
    if as_json:
        rows = [
            {
                "institution": one.institution,
                "kept": kept.to_head_text(one.kept),
                "shown": kept.to_head_text(one.shown),
                "refused_at_us": one.refused_at_us,
            }
            for one in found
        ]
        click.echo(msgspec.json.encode({"refusals": rows}).decode())
    else:
        for one in found:
            click.echo(
                f"{datetime.fromtimestamp(one.refused_at_us / 1_000_000, UTC).isoformat(timespec='seconds')}  "
                f"{one.institution}, log {one.kept.tenant_id}: had seen {one.kept.size} leaves below "
                f"{one.kept.root.hex()[:16]}, was shown {one.shown.size} below {one.shown.root.hex()[:16]}"
            )
    if found:
        sys.exit(1)


@witness.command("heads")
@click.option("--witness", "name", help="Which of those in PAYHUB_WITNESSES_FILE.  [default: the only one]")
@click.option("--into", type=click.File("wb", lazy=True), default="-", help="A file.  [default: standard output]")
def fetch_heads(name: str | None, into: Any) -> None:
    """Fetch what a witness has seen of this installation's logs, as a file for `payhub verify log --anchors`."""
    client = room("workers.anchors.witness")
    try:
        choices = client.read_witnesses(read_settings().witnesses_file)
        found = [one for one in choices if name in (None, one.name)]
        if len(found) != 1:
            names = ", ".join(one.name for one in choices) or "none"
            raise click.UsageError(f"Say by --witness which one: there are {names}.")

        async def fetch() -> None:
            async for lines in client.read_heads(found[0]):
                into.write(lines)

        asyncio.run(fetch())
    except client.WitnessesRefused as error:
        raise click.ClickException(str(error)) from error
    except room("workers.anchors.places").PlaceAway as error:
        raise click.ClickException(f"The witness does not answer as one: {error.code}.") from error


@witness.command("compare")
@click.argument("files", nargs=-1, required=True, type=click.File("rb"))
@click.option("--keys", "keys_file", type=click.File("rb"), help="The institution's: a contradiction is its own word.")
def compare_witnesses(files: Any, keys_file: Any) -> None:
    """Compare what witnesses, or other places, were shown: whether two of them saw two logs under one name.

    FILES are what `payhub witness heads` fetched, append-only files, `payhub anchors bucket`. Exit code 1 if two
    heads contradict each other, 2 if there is nothing that could be compared.
    """
    kept, papers = room("core.proof.kept"), room("core.proof.papers")
    if len(files) < 2:
        raise click.UsageError("Give two files or more.")
    with proving():
        keys = None if keys_file is None else papers.read_keys(keys_file.read())
        sides = [list(kept.KeptFile(file, file.name)) for file in files]
        common, splits = 0, []
        for one, other in itertools.combinations(sides, 2):
            found = kept.compare(one, other, keys)
            common += found.common
            splits += found.splits
    for one, other in splits:
        click.echo(
            f"Log {one.tenant}: {one.source} has {one.size} leaves below {one.root.hex()[:16]}, "
            f"{other.source} has {other.size} below {other.root.hex()[:16]}. They cannot both be."
        )
    click.echo(f"{common} heads are in two of the files, {len(splits)} contradictions.", err=True)
    if splits:
        sys.exit(1)
    if not common:
        sys.exit(2)


@main.group()
def export() -> None:
    """Write things into files of their own."""


@export.command("log")
@click.argument("tenant")
@click.option("--into", type=click.File("wb", lazy=True), default="-", help="A file.  [default: standard output]")
def export_log(tenant: str, into: Any) -> None:
    """Write a tenant's whole log: all payments, all audit entries, all signed heads, one JSON object per line.

    For the institution and its auditors: it holds what one side of a payment must not know of the other.
    """
    keyring = room("core.keyring")

    async def write(_: Any, pool: Any) -> None:
        found = await room("core.people.opening").find_tenant(pool, tenant)
        if found is None:
            raise click.ClickException(f"There is no tenant {tenant}.")
        keys = await keyring.load_keys(pool, _open_master(reachable_settings()), keyring.Purpose.PROOFS)
        async for line in room("core.proof.export").export_log(pool, found.id, found.slug, keys):
            into.write(line)

    with_database(write)


@main.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of text.")
def settings(as_json: bool) -> None:
    """Show every setting: its value, where it is from, and what it means. Passwords are masked."""
    rows = explain(read_settings(), os.environ)
    if as_json:
        facts = {name: {"value": value, "from": source, "meaning": text} for name, value, source, text in rows}
        click.echo(msgspec.json.encode(facts).decode())
        return
    for name, value, source, meaning in rows:
        click.echo(f"{click.style(name, bold=True)}={value}  ({source})")
        click.echo(click.wrap_text(meaning, width=98, initial_indent="    ", subsequent_indent="    "))
    for name in unknown_variables(os.environ):
        if name != launcher.LAUNCHER_PID:
            click.echo(f"{name} is set, but Payhub knows no such setting.", err=True)


def read_settings() -> Settings:
    """Read the settings of this process."""
    return Settings.from_environment(os.environ)


def reachable_settings() -> Settings:
    """Read the settings, with the servers of a `payhub run` on the same data unless others are given."""
    found = launcher.with_running_servers(read_settings())
    found.require_servers()
    return found


def prepare(settings: Settings) -> Sequence[str]:
    """Make the databases and the master key ready for hubs; names the files applied."""
    if settings.key_service == "local":
        ensure_master_key(settings.master_key_file)
    migrate, sql = room("core.migrate"), room("core.keys.store").SQL

    async def bring_up_to_date() -> list[str]:
        applied: list[str] = await migrate.migrate(settings.admin_database_url)
        await room("core.keyring").ensure_key(settings.admin_database_url, _open_master(settings))
        return applied

    async def bring_keys_up_to_date() -> list[str]:
        await migrate.ensure_database(settings.keys_admin_database_url)
        return [f"keys/{name}" for name in await migrate.migrate(settings.keys_admin_database_url, sql)]

    applied = _let_in(bring_up_to_date, settings.admin_database_url, "PAYHUB_ADMIN_DATABASE_URL")
    applied += _let_in(bring_keys_up_to_date, settings.keys_admin_database_url, "PAYHUB_KEYS_ADMIN_DATABASE_URL")
    return applied


def prepare_all(settings: Settings) -> Sequence[str]:
    """As `prepare`, where no hub of the version before runs on: what is personal and plain is sealed, too."""
    applied = prepare(settings)
    with_keys(functools.partial(_seal_plain, reach=lambda _, __: None), settings)
    return applied


def _let_in(work: Callable[[], Awaitable[list[str]]], url: str, variable: str) -> list[str]:
    """Run what logs in to a database; that it cannot is the operator's to mend."""

    async def run() -> list[str]:
        return await work()

    try:
        return asyncio.run(run())
    except Exception as error:
        if not _is_refused_login(error):
            raise
        raise launcher.LaunchError(
            f"PostgreSQL at {masked(url)} does not let us in ({error}): check {variable}."
        ) from error


def seed_demo(settings: Settings) -> Sequence[str]:
    """Open the demo tenant unless it exists; returns the lines to show about it."""
    seeding = room("core.seeding")

    async def open_(admin: Any, pool: Any, keys: Any) -> Any:
        return await seeding.open_demo(admin, pool, keys)

    tenant = with_keys(open_, settings)
    names = ", ".join(f"{person.login} ({person.name})" for person in seeding.DEMO_PEOPLE)
    return [
        "",
        f"Demo       tenant {tenant.slug}; log in as {names}",
        f"           password {seeding.DEMO_PASSWORD} for all of them",
        "Try it     payhub tour   (in another terminal: .venv/bin/payhub tour)",
    ]


def with_database(work: Callable[[Any, Any], Awaitable[Any]], settings: Settings | None = None) -> Any:
    """Run `work(admin, pool)` with a pool of the administrator's connections and one of the serving role's."""
    found = settings or reachable_settings()

    async def run() -> Any:
        open_pool = room("core.database").open_pool
        admin = await open_pool(found.admin_database_url, size_max=2, name="payhub-cli")
        pool = await open_pool(found.database_url, size_max=2, name="payhub-cli")
        try:
            return await work(admin, pool)
        finally:
            await pool.close()
            await admin.close()

    try:
        return asyncio.run(run())
    except (room("core.errors").CoreError, ValueError) as error:
        raise click.ClickException(str(error)) from error


def with_keys(work: Callable[[Any, Any, Any], Awaitable[Any]], settings: Settings | None = None) -> Any:
    """As `with_database`, for what reads or writes personal data: `work(admin, pool, keys)`."""
    found = settings or reachable_settings()
    choosing = room("core.keys.choosing")

    async def run(admin: Any, pool: Any) -> Any:
        keys = await choosing.open_safe(choosing.Choice(**found.key_choice()), name="payhub-cli")
        try:
            return await work(admin, pool, keys)
        finally:
            await keys.close()

    return with_database(run, found)


async def issue_tokens(pool: Any, master: Any, tenant_id: int, person_ids: Sequence[str], minutes: int) -> list[str]:
    """Open a session for each person and sign an access token for it."""
    auth, keyring = room("hub.auth"), room("core.keyring")
    sessions, persons = room("core.people.sessions"), room("core.people.persons")
    keys = await keyring.load_keys(pool, master)
    tokens = auth.Tokens(keys, lifetime_s=minutes * 60)
    issued = []
    for person_id in person_ids:
        person = await persons.read_nameless(pool, tenant_id, person_id)
        session = await sessions.start_session(pool, tenant_id, person_id)
        issued.append(tokens.issue(tenant_id, person_id, person.role, session.session_id, time.time()).token)
    return issued


async def _find_tenant(pool: Any, slug: str) -> int:
    found = await room("core.people.opening").find_tenant(pool, slug)
    if found is None:
        raise click.ClickException(f"There is no tenant {slug}: `payhub tenant list` shows them.")
    tenant_id: int = found.id
    return tenant_id


async def _has_plain(admin: Any, _: Any, __: Any) -> bool:
    has_plain = room("core.keys.sealing").has_plain
    for row in await admin.fetch("select id from payhub.tenants order by id"):
        if await has_plain(admin, row[0]):
            return True
    return False


async def _seal_plain(admin: Any, _: Any, safe: Any, reach: Callable[[int, int], None]) -> tuple[int, int]:
    """Seal every tenant's; how many values, and how many are left."""
    sealing = room("core.keys.sealing")
    tenants = [row[0] for row in await admin.fetch("select id from payhub.tenants order by id")]
    plain = {tenant_id: await sealing.count_plain(admin, tenant_id) for tenant_id in tenants}
    total, count = sum(plain.values()), 0
    for tenant_id in (tenant_id for tenant_id, found in plain.items() if found):
        for seal_ in (sealing.seal_plain, room("core.bulk.sealing").seal_lines):
            before = count
            count += await seal_(admin, safe, tenant_id, lambda so_far, before=before: reach(before + so_far, total))
    return count, sum([await sealing.count_plain(admin, tenant_id) for tenant_id in tenants])


def _open_master(settings: Settings) -> Any:
    choosing = room("core.keys.choosing")
    return choosing.open_master(choosing.Choice(**settings.key_choice()))


def show(facts: dict[str, Any], as_json: bool) -> None:
    """Print facts for people, or as one JSON object."""
    if as_json:
        click.echo(msgspec.json.encode(facts).decode())
        return
    for name, value in facts.items():
        click.echo(f"{name.replace('_', ' '):20}{value}")


@contextmanager
def proving() -> Iterator[None]:
    """Turn what a proof is refused for into one sentence and exit code 1."""
    try:
        yield
    except room("core.proof.receipts").Unproved as error:
        raise click.ClickException(f"Not proved. {error}") from error


@contextmanager
def witnessing() -> Iterator[None]:
    """Turn what a witness's folder is refused for into one sentence and exit code 1."""
    try:
        yield
    except (room("hub.witness.store").StoreRefused, room("witness.key").KeyRefused, sqlite3.Error) as error:
        raise click.ClickException(str(error)) from error


@contextmanager
def _store(folder: Path) -> Iterator[Any]:
    store = room("hub.witness.serve").open_store(folder)
    try:
        yield store
    finally:
        store.close()


def _witness_key(folder: Path) -> str:
    key = room("hub.witness.key").open_key(folder).public_key().public_bytes_raw()
    text: str = room("core.proof.receipts").to_text(key)
    return text


def _counted(lines: Any, reach: Callable[[int], None]) -> Iterator[bytes]:
    """The lines of a file, and word of how many bytes they are, now and then."""
    read = 0
    for at, line in enumerate(lines):
        read += len(line)
        if at % 100 == 0:
            reach(read)
        yield line
    reach(read)


@contextmanager
def _bar(label: str, length: int) -> Iterator[Callable[[int], None]]:
    """A bar on standard error that is told how far things are."""
    with click.progressbar(length=length, label=label, file=sys.stderr, show_pos=True) as bar:
        yield lambda reached: bar.update(reached - bar.pos)


@contextmanager
def _part_bar(label: str) -> Iterator[Callable[[int, int], None]]:
    """A bar that is told how much is done of how much, which may grow."""
    with click.progressbar(length=100, label=label, file=sys.stderr) as bar:
        yield lambda done, total: bar.update(100 * done // max(total, done, 1) - bar.pos)


def _watch_bulk(client: Any, state: dict[str, Any]) -> dict[str, Any]:
    last = state
    with _bar("Posting", state["lines"]) as reach:
        for last in client.follow(state["bulk"]):
            reach(last["through"])
    return last


def _only(accounts: Sequence[int]) -> int:
    if len(accounts) != 1:
        raise click.UsageError(f"Say which account pays by --account: {', '.join(map(str, accounts)) or 'none'}.")
    return accounts[0]


def _is_refused_login(error: Exception) -> bool:
    # SQLSTATE classes: connection lost, login refused, no such database, server shutting down or starting up.
    state = str(getattr(error, "sqlstate", None) or "")
    return isinstance(error, OSError) or state[:2] in ("08", "28", "3D") or state[:3] == "57P"


def _itself(command: str) -> list[str]:
    # By its file, not by `-m`: a folder named core where the operator stands must not be taken for ours.
    return [sys.executable, str(Path(__file__).resolve()), command]


if __name__ == "__main__":
    main(prog_name="payhub")
