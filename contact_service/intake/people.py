"""Households, people and their numbers, as a claims file names them."""

from __future__ import annotations

from datetime import date

from contact_service.domain.ages import birth_band
from contact_service.domain.numbers import PhoneNumber
from contact_service.intake.fields import PHONE_COLUMNS
from contact_service.intake.parsing import Values
from contact_service.intake.staging import Import, Stage, driver
from contact_service.intake.values import name_key
from contact_service.store.crypto import Writing

COLUMNS = {
    "household_code": "text",
    "name": "bytea",
    "name_kana": "bytea",
    "birth_date": "bytea",
    "birth_band": "int2",
    "language": "text",
    "name_index": "bytea",
    "written_index": "bytea",
    "number_indexes": "bytea[]",
    "indexes_before": "bytea[]",
    "numbers": "bytea[]",
    "number_kinds": "text[]",
    "has_bad_number": "bool",
}
_PHONE_FIELDS = tuple(f"phone_{n}" for n in range(1, PHONE_COLUMNS + 1))
_TOLD = (
    "debtor_code",
    "household_code",
    "name",
    "name_kana",
    "birth_date",
    "language",
    *_PHONE_FIELDS,
)
_COMPARED_AT_ONCE = 2000


def stager(vault: Writing) -> Stage:
    """Seals the person of each row, in the order of :data:`COLUMNS`.

    A person's rows mostly follow one another; what equals the row before is not sealed again.
    """
    known: tuple[object, ...] = ()
    sealed: tuple[object, ...] = ()

    def stage(values: Values) -> tuple[object, ...]:
        nonlocal known, sealed
        told = tuple([values[name] for name in _TOLD])
        if told != known:
            known, sealed = told, _seal(vault, values)
        return sealed

    return stage


def _seal(vault: Writing, values: Values) -> tuple[object, ...]:
    kana = values["name_kana"]
    good: dict[str, PhoneNumber] = {}
    has_bad = False
    for name in _PHONE_FIELDS:
        cell = values[name]
        for number in cell if isinstance(cell, tuple) else ():
            if number.e164 is None:
                has_bad = True
            else:
                good.setdefault(number.e164, number)
    indexes = [vault.both("phone", e164) for e164 in good]
    return (
        values["household_code"],
        _sealed(vault, "debtor.name", values["name"]),
        _sealed(vault, "debtor.name_kana", kana),
        _sealed(vault, "debtor.birth_date", values["birth_date"]),
        birth_band(values["birth_date"]) if isinstance(values["birth_date"], date) else None,
        values["language"],
        None if kana is None else vault.index("name", name_key(str(kana))),
        None if values["name"] is None else vault.index("name", name_key(str(values["name"]))),
        [index for index, _ in indexes],
        [before for _, before in indexes],
        [vault.seal("phone.number", e164) for e164 in good],
        [str(number.kind) for number in good.values()],
        has_bad,
    )


def _sealed(vault: Writing, place: str, value: object) -> bytes | None:
    return None if value is None else vault.seal(place, str(value))


def merge(file: Import) -> int:
    """Bring households, debtors, phones and whose they are up to date.

    Leaves ``touched_debtor``: those known before whose data changed. Where a file contradicts
    itself about a person, its last row stands. An empty cell about a person says nothing; the
    set of numbers is replaced as a whole when the file has columns for numbers. People whom a
    newer file has described stay as they are. Returns how many people have a number that
    cannot be read.
    """
    file.run("""
        CREATE TEMPORARY TABLE person ON COMMIT DROP AS
        SELECT DISTINCT ON (debtor_code) debtor_code, household_code, name, name_kana, birth_date,
               birth_band, language, name_index, written_index, number_indexes,
               indexes_before, numbers, number_kinds, has_bad_number
        FROM staged ORDER BY debtor_code, line DESC
    """)
    file.run(
        """
        DELETE FROM person USING debtor d
        WHERE d.code = person.debtor_code AND EXISTS (
            SELECT FROM claim c WHERE c.debtor_id = d.id AND c.filed_as_of > :as_of)
        """,
        as_of=file.as_of,
    )
    file.run("ANALYZE person")
    file.run("CREATE TEMPORARY TABLE touched_debtor (id bigint PRIMARY KEY) ON COMMIT DROP")
    file.grow(
        "household",
        """
        INSERT INTO household (code)
        SELECT DISTINCT household_code FROM person p
        WHERE household_code IS NOT NULL
          AND NOT EXISTS (SELECT FROM household h WHERE h.code = p.household_code)
        ORDER BY household_code
    """,
    )
    _merge_debtors(file)
    if file.fields & set(_PHONE_FIELDS):
        _merge_numbers(file)
    found = file.connection.exec_driver_sql("SELECT count(*) FROM person WHERE has_bad_number")
    return int(found.scalar_one())


def _merge_debtors(file: Import) -> None:
    _find_changed_values(file)
    file.run(
        """
        WITH changed AS (
            UPDATE debtor d
            SET household_id = coalesce(h.id, d.household_id),
                name = coalesce(p.name, d.name),
                name_kana = coalesce(p.name_kana, d.name_kana),
                birth_date = coalesce(p.birth_date, d.birth_date),
                birth_band = coalesce(p.birth_band, d.birth_band),
                name_index = coalesce(p.name_index, d.name_index),
                written_index = coalesce(p.written_index, d.written_index),
                language = coalesce(p.language, d.language),
                training = :training, source_file_id = :file_id
            FROM person p LEFT JOIN household h ON h.code = p.household_code
            WHERE d.code = p.debtor_code AND (
                d.id IN (SELECT id FROM changed_value)
                OR h.id <> d.household_id OR (h.id IS NOT NULL AND d.household_id IS NULL)
                OR d.training <> :training OR p.birth_band <> coalesce(d.birth_band, 0)
                OR (p.language IS NOT NULL AND p.language IS DISTINCT FROM d.language))
            RETURNING d.id
        )
        INSERT INTO touched_debtor SELECT id FROM changed
        """,
        training=file.training,
        file_id=file.file_id,
    )
    # of people who came before names could be found as written; nothing about them has changed
    file.run("""
        UPDATE debtor d SET written_index = p.written_index
        FROM person p WHERE d.code = p.debtor_code AND d.written_index IS NULL
        AND p.written_index IS NOT NULL
    """)
    file.grow(
        "debtor",
        """
        INSERT INTO debtor (code, household_id, name, name_kana, birth_date, birth_band,
                            language, name_index, written_index, training,
                            source_file_id)
        SELECT p.debtor_code, h.id, p.name, p.name_kana, p.birth_date, p.birth_band,
               p.language, p.name_index, p.written_index, :training, :file_id
        FROM person p LEFT JOIN household h ON h.code = p.household_code
        WHERE NOT EXISTS (SELECT FROM debtor d WHERE d.code = p.debtor_code)
        ORDER BY p.debtor_code
        """,
        training=file.training,
        file_id=file.file_id,
    )


def _find_changed_values(file: Import) -> None:
    """Leave ``changed_value``: known debtors whose name, kana or birth date is another now.

    Sealing the same value twice gives different bytes, so both are opened; as a stream.
    """
    file.run("CREATE TEMPORARY TABLE changed_value (id bigint PRIMARY KEY) ON COMMIT DROP")
    places = ("debtor.name", "debtor.name_kana", "debtor.birth_date")
    vault = file.vault
    with driver(file.connection).cursor(name="known") as known:
        known.execute("""
            SELECT d.id, p.name, d.name, p.name_kana, d.name_kana, p.birth_date, d.birth_date
            FROM person p JOIN debtor d ON d.code = p.debtor_code
        """)
        while rows := known.fetchmany(_COMPARED_AT_ONCE):
            changed = [
                row[0]
                for row in rows
                if any(
                    new is not None
                    and (old is None or vault.open(place, new) != vault.open(place, old))
                    for place, new, old in zip(places, row[1::2], row[2::2], strict=True)
                )
            ]
            file.run("INSERT INTO changed_value SELECT unnest(CAST(:ids AS bigint[]))", ids=changed)


def _merge_numbers(file: Import) -> None:
    file.run("""
        CREATE TEMPORARY TABLE person_number ON COMMIT DROP AS
        SELECT d.id AS debtor_id, n.number_index, n.before, n.number, n.kind, n.rank
        FROM person p JOIN debtor d ON d.code = p.debtor_code
        CROSS JOIN LATERAL unnest(p.number_indexes, p.indexes_before, p.numbers, p.number_kinds)
            WITH ORDINALITY AS n (number_index, before, number, kind, rank)
    """)
    file.grow(
        "phone",
        """
        INSERT INTO phone (number, number_index, kind)
        SELECT DISTINCT ON (number_index) number, number_index, kind
        FROM person_number n
        WHERE NOT EXISTS (SELECT FROM phone ph WHERE ph.number_index = n.number_index)
          AND NOT EXISTS (SELECT FROM phone ph WHERE ph.number_index = n.before)
        ON CONFLICT (number_index) DO NOTHING
    """,
    )
    file.run("""
        CREATE TEMPORARY TABLE renumbered ON COMMIT DROP AS
        WITH wanted AS (
            SELECT n.debtor_id, array_agg(coalesce(ph.id, older.id) ORDER BY n.rank) AS phone_ids
            FROM person_number n LEFT JOIN phone ph USING (number_index)
            LEFT JOIN phone older ON older.number_index = n.before GROUP BY n.debtor_id
        ), held AS (
            SELECT dp.debtor_id, array_agg(dp.phone_id ORDER BY dp.rank) AS phone_ids
            FROM person p JOIN debtor d ON d.code = p.debtor_code
            JOIN debtor_phone dp ON dp.debtor_id = d.id GROUP BY dp.debtor_id
        )
        SELECT d.id AS debtor_id, wanted.phone_ids
        FROM person p JOIN debtor d ON d.code = p.debtor_code
        LEFT JOIN wanted ON wanted.debtor_id = d.id
        LEFT JOIN held ON held.debtor_id = d.id
        WHERE wanted.phone_ids IS DISTINCT FROM held.phone_ids
    """)
    file.run("DELETE FROM debtor_phone dp USING renumbered r WHERE dp.debtor_id = r.debtor_id")
    file.grow(
        "debtor_phone",
        """
        INSERT INTO debtor_phone (debtor_id, phone_id, rank)
        SELECT r.debtor_id, n.phone_id, n.rank
        FROM renumbered r
        CROSS JOIN LATERAL unnest(r.phone_ids) WITH ORDINALITY AS n (phone_id, rank)
    """,
    )
    file.run("""
        INSERT INTO touched_debtor SELECT debtor_id FROM renumbered ON CONFLICT DO NOTHING
    """)
