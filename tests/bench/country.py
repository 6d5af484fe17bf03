"""A country for benches on PostgreSQL: 100,000 organisations, 3,000,000 members, 500,000 graduates of one season.

Skewed as the real one is: a province has cities, a city universities and counties, a county townships each with its
floating branch; four in ten graduates have gone to a township, and some townships to much of a whole class. Every row
is made by the database itself (INSERT … SELECT over generate_series); two to three minutes on two cores.
"""

from __future__ import annotations

import os
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, text

from tests import services
from tests.world import World
from zhtj.graduation.models import BranchMark, RegisterRow
from zhtj.kernel.database import Base, db, session, unit_of_work
from zhtj.notices.models import Message
from zhtj.orgs.models import Organisation
from zhtj.orgs.naming import search_terms
from zhtj.orgs.searching.terms import insert_terms
from zhtj.people.models import Account, Member, Membership, Post
from zhtj.transfers.models import Application, ApplicationEvent, Arrival

PROVINCES, CITIES, COUNTIES, TOWNSHIPS = 8, 10, 5, 20
UNIVERSITIES, COLLEGES, CLASSES = 2, 25, 20
PEOPLE = 37  # members of a class on average; a floating branch has few
SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗"
GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华文辉鑫宇博思雨晨浩然子涵欣怡梓轩龑喆"
SEGMENT_FUNCTION = """
CREATE FUNCTION segment(n bigint) RETURNS text LANGUAGE sql IMMUTABLE AS $$
SELECT string_agg(substr('0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ', ((n / (36 ^ k)::bigint) % 36)::int + 1, 1), ''
ORDER BY k DESC) FROM generate_series(0, 3) AS k $$
"""
MOMENT = "timestamptz '2026-09-20 09:00+08'"


@dataclass(frozen=True, slots=True)
class Rank:
    """Children of one rank: below which rank, how many each, and the text of their columns in SQL."""

    name: str
    above: str
    each: int
    category: str
    tier: str
    full_name: str
    short_name: str
    industry: str = "NULL"
    purpose: str = "NULL"
    first: int = 100


RANKS = (
    Rank(
        "province", "", PROVINCES, "leading_organ", "province",
        "'共青团第' || n || '省委员会'", "'团第' || n || '省委'",
    ),
    Rank(
        "city", "province", CITIES, "leading_organ", "city",
        "replace(p.full_name, '委员会', '第' || n || '市委员会')", "'团第' || n || '市委'",
    ),
    Rank(
        "county", "city", COUNTIES, "leading_organ", "county",
        "replace(p.full_name, '委员会', '第' || n || '区委员会')", "'团第' || n || '区委'", first=200,
    ),
    Rank(
        "township", "county", TOWNSHIPS, "committee", "basic",
        "replace(p.full_name, '委员会', '第' || n || '镇委员会')", "'团第' || n || '镇委'", "'农村'",
    ),
    Rank(
        "floating", "township", 1, "branch", "branch",
        "replace(replace(p.full_name, '共青团', ''), '委员会', '流动团员团支部')", "'流动团员团支部'",
        "'农村'", "'floating'",
    ),
    Rank(
        "university", "city", UNIVERSITIES, "committee", "basic",
        "'共青团' || replace(replace(p.full_name, '共青团', ''), '委员会', '') || '第' || n || '大学委员会'",
        "'第' || n || '大学团委'", "'普通高等院校'", first=300,
    ),
    Rank(
        "college", "university", COLLEGES, "general_branch", "second",
        "replace(p.full_name, '委员会', '第' || n || '学院总支部委员会')", "'第' || n || '学院团总支'",
        "'普通高等院校'",
    ),
    Rank(
        "class", "college", CLASSES, "branch", "branch",
        "replace(replace(p.full_name, '共青团', ''), '总支部委员会', '第' || n || '班团支部')",
        "'第' || n || '班团支部'",
        "'普通高等院校'",
    ),
)  # fmt: skip


def database(stack: ExitStack) -> str:
    """Address of an empty database on a server that holds a country in memory, as its own would."""
    os.environ.setdefault("ZHTJ_TEST_BUFFERS", "4GB")
    return stack.enter_context(services.postgres_url())


def _literal(column: Column[Any]) -> str:
    default: Any = column.default
    if default is None or not default.is_scalar:
        raise LookupError(f"{column.table.name}.{column.name} needs a value")
    value = default.arg
    return f"'{value}'" if isinstance(value, str) else str(value).lower()


def fill(model: type[Base], source: str, **values: str) -> None:
    """INSERT … SELECT: ``values`` are SQL expressions over ``source``; any other column keeps its default."""
    table: Any = model.__table__
    rest = [c for c in table.columns if c.name not in values and not c.nullable and not c.primary_key]
    columns = {**values, **{column.name: _literal(column) for column in rest}}
    names, expressions = ", ".join(columns), ", ".join(columns.values())
    session.execute(text(f"INSERT INTO {table.name} ({names}) SELECT {expressions} {source}"))


def build() -> World:
    """Everything, around the small world of the tests, whose people sign in."""
    world = World.build()
    with unit_of_work():
        session.execute(text(SEGMENT_FUNCTION))
        session.execute(text("SET LOCAL session_replication_role = replica"))  # no look-up for each of so many keys
        _organisations(world)
        _people()
        _graduates()
        _transfers()
        _sequences()
    _index()
    session.commit()  # else nothing would be old enough to be tidied
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))
    return world


def _organisations(world: World) -> None:
    root = world.orgs["centre"].id
    for rank in RANKS:
        above = f"p.code LIKE 'B:{rank.above}:%'" if rank.above else f"p.id = {root}"
        fill(
            Organisation,
            f"FROM organisations AS p, generate_series(1, {rank.each}) AS n WHERE {above}",
            id=f"{_free('organisations')} + row_number() OVER (ORDER BY p.path, n)",
            code=f"'B:{rank.name}:' || p.id || ':' || n",
            parent_id="p.id",
            path=f"p.path || segment({rank.first} + n)",
            full_name=rank.full_name,
            short_name=rank.short_name,
            category=f"'{rank.category}'",
            tier=f"'{rank.tier}'",
            industry=rank.industry,
            purpose=rank.purpose,
            township_flag="true" if rank.name == "township" else "NULL",
            phone="'0551-65500000'",
            created_at=MOMENT,
        )
    session.execute(text("UPDATE organisations SET next_child = 1000 WHERE code LIKE 'B:%'"))
    # A committee has an administrator, a branch is looked after by the committee above it.
    session.execute(
        text(
            "UPDATE organisations SET office_id = CASE tier WHEN 'branch' THEN parent_id ELSE id END "
            "WHERE code LIKE 'B:%'"
        )
    )


def _free(table: str) -> str:
    return f"(SELECT coalesce(max(id), 0) FROM {table})"


def _people() -> None:
    session.execute(
        text(
            "CREATE TEMPORARY TABLE places AS SELECT id, path, row_number() OVER (ORDER BY path) - 1 AS place "
            "FROM organisations WHERE code LIKE 'B:class:%'"
        )
    )
    session.execute(text("CREATE UNIQUE INDEX ON places (place)"))
    number: int = session.scalar(text("SELECT count(*) FROM places")) or 0
    first: int = (session.scalar(text("SELECT greatest(max(a.id), max(m.id)) FROM accounts a, members m")) or 0) + 1
    everybody = f"FROM generate_series(0, {number * PEOPLE - 1}) AS n"
    name = (
        f"substr('{SURNAMES}', (n % {len(SURNAMES)})::int + 1, 1) || "
        f"substr('{GIVEN}', (n * 7 / 3 % {len(GIVEN)})::int + 1, 1) || "
        f"substr('{GIVEN}', (n * 11 / 5 % {len(GIVEN)})::int + 1, 1)"
    )
    fill(Account, everybody, id=f"{first} + n", name=name, created_at=MOMENT)
    of_class = f"{everybody} JOIN places ON places.place = n / {PEOPLE}"
    fill(
        Member,
        of_class,
        id=f"{first} + n",
        account_id=f"{first} + n",
        org_id="places.id",
        sex="CASE n % 2 WHEN 0 THEN 'male' ELSE 'female' END",
        joined_on="date '2018-05-04' + (n % 900)::int",
        student_no="lpad(n::text, 10, '2')",
        dev_number="lpad(n::text, 12, '2018')",
        is_graduate="places.place % 6 = 0",
        created_at=MOMENT,
    )
    fill(
        Membership,
        of_class,
        member_id=f"{first} + n",
        org_id="places.id",
        started_at=MOMENT,
        began_by="'import'",
    )


def _graduates() -> None:
    """Every sixth class graduates in 2026; the others are marked for later years."""
    session.execute(
        text("UPDATE organisations SET category = 'graduates' WHERE id IN (SELECT id FROM places WHERE place % 6 = 0)")
    )
    fill(
        BranchMark,
        "FROM places",
        org_id="id",
        month="(ARRAY[date '2026-06-01', '2027-06-01', '2028-06-01', '2029-06-01'])[1 + least(place % 6, 3)]",
        marked_at=MOMENT,
    )
    fill(
        RegisterRow,
        "FROM members AS m JOIN places ON places.id = m.org_id WHERE places.place % 6 = 0",
        season="2026",
        member_id="m.id",
        origin_org_id="places.id",
        season_path="places.path",
        category="CASE m.id % 3 WHEN 0 THEN 'further_study' WHEN 1 THEN 'society' END",
        opened_at=MOMENT,
    )


def _transfers() -> None:
    """Eight of ten graduates have applied; half have arrived, others wait, were refused or sent back."""
    session.execute(
        text(
            "CREATE TEMPORARY TABLE goals AS SELECT id, path, row_number() OVER (ORDER BY path) - 1 AS place "
            "FROM organisations WHERE code LIKE 'B:floating:%'"
        )
    )
    session.execute(text("CREATE UNIQUE INDEX ON goals (place)"))
    number: int = session.scalar(text("SELECT count(*) FROM goals")) or 1
    state = (
        "CASE WHEN r.id % 20 < 10 THEN 'completed' WHEN r.id % 20 < 15 THEN 'awaiting_acceptance' "
        "WHEN r.id % 20 = 15 THEN 'refused' ELSE 'returned' END"
    )
    fill(
        Application,
        # The square lets a few townships have very many.
        "FROM season_register AS r JOIN members AS m ON m.id = r.member_id JOIN places ON places.id = r.origin_org_id "
        f"JOIN goals ON goals.place = (r.id % 997) * (r.id % 997) % {number} WHERE r.season = 2026 AND r.id % 20 < 17 "
        # People of one class do not apply one after the other.
        "ORDER BY r.id * 7919::bigint % 500009",
        member_id="m.id",
        register_row_id="r.id",
        initiator="'member'",
        initiator_account_id="m.account_id",
        initiator_org_id="r.origin_org_id",
        from_org_id="r.origin_org_id",
        to_org_id="goals.id",
        from_path="places.path",
        to_path="goals.path",
        season="r.season",
        season_path="r.season_path",
        final_org_id="CASE WHEN r.id % 20 < 10 THEN goals.id END",
        holder_id="CASE WHEN r.id % 20 BETWEEN 10 AND 14 THEN goals.id END",
        reason="'unplaced'",
        place="'residence'",
        kind="'township_floating'",
        level="'preferred'",
        warnings="'[]'",
        state=state,
        submitted_at=f"{MOMENT} + (r.id % 20) * interval '1 day'",
        waiting_since=f"{MOMENT} + (r.id % 20) * interval '1 day'",
        due_at="CASE WHEN r.id % 20 BETWEEN 10 AND 14 THEN timestamptz '2026-10-20 00:00+08' END",
        ended_at=f"CASE WHEN r.id % 20 < 10 OR r.id % 20 > 14 THEN {MOMENT} + interval '21 days' END",
    )
    fill(
        ApplicationEvent,
        "FROM applications AS a",
        application_id="a.id",
        action="'submit'",
        to_state="'awaiting_acceptance'",
        account_id="a.initiator_account_id",
        org_id="a.initiator_org_id",
        at="a.submitted_at",
        recorded_at="a.submitted_at",
    )
    arrived = "FROM applications AS a JOIN goals ON goals.id = a.final_org_id WHERE a.state = 'completed'"
    fill(
        Arrival,
        arrived,
        application_id="a.id",
        member_id="a.member_id",
        org_id="a.final_org_id",
        path="goals.path",
        arrived_at="a.ended_at",
        # One in three is looked after in everything, one in two was spoken to.
        contacted_on="CASE WHEN a.id % 2 = 0 OR a.id % 3 = 0 THEN date '2026-10-12' END",
        **dict.fromkeys(("informed_on", "reported_on"), "CASE WHEN a.id % 3 = 0 THEN date '2026-10-12' END"),
        dues_from="CASE WHEN a.id % 3 = 0 THEN date '2026-10-01' END",
    )
    for change in (
        "members AS m SET org_id = a.final_org_id FROM ended a WHERE a.member_id = m.id",
        "season_register AS r SET completed_at = a.ended_at FROM ended a WHERE a.register_row_id = r.id",
        "memberships s SET ended_at = a.ended_at, ended_by = 'transfer' FROM ended a WHERE s.member_id = a.member_id",
    ):
        ended = "WITH ended AS (SELECT * FROM applications WHERE state = 'completed')"
        session.execute(text(f"{ended} UPDATE {change}"))
    fill(
        Membership,
        arrived,
        member_id="a.member_id",
        org_id="a.final_org_id",
        started_at="a.ended_at",
        began_by="'transfer'",
    )
    fill(
        Message,
        "FROM applications AS a JOIN organisations AS o ON o.id = a.to_org_id",
        org_id="o.office_id",
        kind="'task'",
        title="'转接申请待审批'",
        body="'请尽快办理。'",
        subject_type="'application'",
        subject_id="a.id",
        at="a.submitted_at",
    )


def _sequences() -> None:
    for table in ("organisations", "accounts", "members"):
        session.execute(text(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT max(id) FROM {table}))"))


def _index() -> None:
    """Make every organisation findable, as creating it would have."""
    with unit_of_work():
        rows = session.execute(
            text(
                "SELECT id, code, path, full_name, short_name, tier = 'branch' FROM organisations WHERE code LIKE 'B:%'"
            )
        ).all()
        insert_terms(
            session,
            (
                (term.fit, term.text, path, number)
                for number, code, path, full_name, short_name, branch in rows
                for term in search_terms(code=code, full_name=full_name, short_name=short_name, branch=branch)
            ),
        )


def appoint(account: Account, *codes: str) -> dict[str, int]:
    """Give an account a post in the first organisation whose code begins so; seat ids by code."""
    found = {}
    with unit_of_work():
        for code in codes:
            number = session.scalar(
                text("SELECT id FROM organisations WHERE code LIKE :code ORDER BY path LIMIT 1"),
                {"code": f"B:{code}:%"},
            )
            found[code] = session.scalar(
                text(
                    "INSERT INTO seats (account_id, org_id, post, started_at) "
                    "VALUES (:account, :org, :post, now()) RETURNING id"
                ),
                {"account": account.id, "org": number, "post": str(Post.SECRETARY)},
            )
    return found
