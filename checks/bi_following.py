"""Keeps copies of kpi_facts by what changed alone, as README has it in SQL (run by DuckDB) and for pandas, while values
are recorded and corrected and a KPI's place, target and readers change: after each pull a copy is what a whole pull gives.
It writes, so it comes after what reads the demo as it was loaded."""

import csv
import io
import os
import re
import tempfile
import unittest
from contextlib import chdir
from pathlib import Path

import duckdb
import pandas
import requests

SERVER = os.environ["SERVER"]
FACTS = f"{SERVER}/bi/v1/kpi_facts.csv"
DAYS = {"from": "2025-01-01", "to": "2026-01-01"}
README = (Path(__file__).parent.parent / "README.md").read_text()
READERS = ("bea-analyst", "jon-lead-aftersales")


def recipe(language, about):
    """README's only program in the language that says `about`, as it stands but for the server's address."""
    found = [text for text in re.findall(rf"^```{language}\n(.*?)^```$", README, re.M | re.S) if about in text]
    assert len(found) == 1, f"README has {len(found)} programs in {language} about {about}"
    return found[0].replace("http://127.0.0.1:8080", SERVER)


def token(login):
    answer = requests.post(f"{SERVER}/auth/login", json={"login": login, "password": "blueprint"}, timeout=20)
    answer.raise_for_status()
    return answer.json()["accessToken"]


def pull(of, **more):
    return requests.get(FACTS, auth=("whoever", of), params=DAYS | more, timeout=20)


def rows(text):
    return list(csv.DictReader(io.StringIO(text)))


class Writer:
    """Somebody who writes by GraphQL."""

    def __init__(self, login):
        self.token = token(login)

    def ask(self, query, **variables):
        headers = {"authorization": f"Bearer {self.token}"}
        body = {"query": query, "variables": variables}
        answer = requests.post(f"{SERVER}/graphql", json=body, headers=headers, timeout=20).json()
        assert "errors" not in answer, answer
        return answer["data"]

    def do(self, name, kind, **sent):
        told = self.ask(f"mutation($input: {kind}!) {{ {name}(input: $input) {{ userErrors {{ message }} }} }}", input=sent)
        assert told[name]["userErrors"] == [], told


class Kept:
    """A copy that a reader keeps: how it is filled, and what is in it."""

    def __init__(self, login):
        self.login, self.token = login, token(login)

    def whole(self):
        """What a whole pull gives: a request without a mark, so that it has no column of what is gone."""
        answer = pull(self.token)
        answer.raise_for_status()
        return answer.text

    def ids(self, **of):
        return {row["measurement_id"] for row in rows(self.whole()) if of.items() <= row.items()}

    def first(self):
        """Pulls for the first time, or anew."""

    def catch_up(self):
        """Pulls again, and tells the answer."""

    def holds(self, case):
        """The copy is what a whole pull gives."""


class InDuckdb(Kept):
    CHANGED = recipe("sql", "kpi_facts_changed")

    def __init__(self, login):
        super().__init__(login)
        self.duckdb = duckdb.connect()
        self.close = self.duckdb.close

    def load(self, table, text):
        with tempfile.NamedTemporaryFile("w", suffix=".csv") as file:
            file.write(text)
            file.flush()
            self.duckdb.execute(f"CREATE OR REPLACE TABLE {table} AS SELECT * FROM read_csv('{file.name}')")

    def first(self):
        answer = pull(self.token, updated_since="")
        self.load("kpi_facts", answer.text)
        self.mark = answer.headers["Updated-Until"]

    def catch_up(self):
        answer = pull(self.token, updated_since=self.mark)
        if answer.status_code == 410:
            self.first()
            return answer
        self.load("kpi_facts_changed", answer.text)
        self.duckdb.execute(self.CHANGED)
        self.mark = answer.headers["Updated-Until"]
        return answer

    def holds(self, case):
        self.load("whole", self.whole())
        # As texts, since a column of which no value had come yet is one of texts in the copy.
        both = [
            self.duckdb.execute(f"SELECT CAST(COLUMNS(*) AS VARCHAR) FROM {what} ORDER BY row_id").fetchall()
            for what in ("(SELECT * EXCLUDE (is_deleted) FROM kpi_facts)", "whole")
        ]
        case.assertGreater(len(both[1]), 0)
        case.assertEqual(*both)


class InPandas(Kept):
    LOOP = compile(recipe("python", "updated_since"), "README.md", "exec")

    def __init__(self, login):
        super().__init__(login)
        self.dir = tempfile.TemporaryDirectory()
        self.close = self.dir.cleanup

    def first(self):
        with chdir(self.dir.name):
            exec(self.LOOP, {"BEA": self.token})

    def catch_up(self):
        # The loop pulls for itself and tells nothing: what it is about to be answered is looked at before.
        answer = pull(self.token, updated_since=Path(self.dir.name, "facts.mark").read_text())
        self.first()
        return answer

    def holds(self, case):
        kept = pandas.read_pickle(Path(self.dir.name, "facts.pkl")).drop(columns="is_deleted")
        both = [table.sort_values("row_id", ignore_index=True) for table in (kept, pandas.read_csv(io.StringIO(self.whole())))]
        case.assertGreater(len(both[1]), 0)
        # A column of which no value had come yet has no type of its own.
        pandas.testing.assert_frame_equal(*both, check_dtype=False)


class Following(unittest.TestCase):
    def test_copies_follow_what_is_written(self):
        ann = Writer("ann-cx")
        told = ann.ask('{ kpi(by: {key: "KB3"}) { id links { nodes { id version touchpoint { id } } } } }')["kpi"]
        kpi, [link] = told["id"], told["links"]["nodes"]
        copies = [kind(login) for kind in (InDuckdb, InPandas) for login in READERS]

        def record(day, value):
            ann.do("kpiMeasurementsRecord", "KpiMeasurementsRecordInput", measurements=[{"kpiId": kpi, "measuredOn": day, "value": value}])

        def correct(day, value):
            [id] = copies[0].ids(kpi_key="KB3", measured_on=day)
            ann.do("kpiMeasurementCorrect", "KpiMeasurementCorrectInput", measurementId=id, value=value)

        def show_to(readers):
            version = ann.ask('{ kpi(by: {key: "KB3"}) { version } }')["kpi"]["version"]
            ann.do("kpiUpdate", "KpiUpdateInput", id=kpi, expectedVersion=version, sensitivity=readers)

        # What is done, and for the analyst and the lead how many measurements of KB3 come with rows and how many as gone;
        # nothing for who has to pull everything again.
        acts = [
            ("nothing is done", lambda: None, (0, 0), (0, 0)),
            ("two are recorded", lambda: (record("2025-04-30", 3.7), record("2025-05-31", 4)), (2, 0), (2, 0)),
            ("one is corrected: the one before is gone", lambda: correct("2025-04-30", 4.25), (1, 1), (1, 1)),
            ("another value is recorded, which corrects too", lambda: record("2025-05-31", 5.5), (1, 1), (1, 1)),
            ("one comes and goes between two pulls", lambda: (record("2025-06-30", 6), correct("2025-06-30", 7)), (1, 1), (1, 1)),
            ("a target is set, by which any of them may be judged otherwise", lambda: ann.do("kpiTargetSet", "KpiTargetSetInput", kpiId=kpi, validFrom="2025-05-01", value=6), (6, 0), (6, 0)),
            ("the KPI judges no place any more, so that no lead reads it", lambda: ann.do("kpiLinkDelete", "AtVersionInput", id=link["id"], expectedVersion=link["version"]), (6, 0), (0, 6)),
            ("it judges its place again", lambda: ann.do("kpiLinkCreate", "KpiLinkCreateInput", kpiId=kpi, touchpointId=link["touchpoint"]["id"]), (6, 0), (6, 0)),
            ("the KPI is confidential", lambda: show_to("CONFIDENTIAL"), None, (6, 0)),
            ("the KPI is open again", lambda: show_to("OPEN"), None, (6, 0)),
        ]
        for reader in copies:
            self.addCleanup(reader.close)
            reader.first()
            reader.holds(self)
        for what, act, analyst, lead in acts:
            act()
            for reader in copies:
                with self.subTest(what, reader=reader.login, copy=type(reader).__name__):
                    answer = reader.catch_up()
                    reader.holds(self)
                    wanted = dict(zip(READERS, (analyst, lead)))[reader.login]
                    self.assertEqual(answer.status_code, 200 if wanted else 410, answer.text)
                    if wanted:
                        came = {gone: {row["measurement_id"] for row in rows(answer.text) if row["is_deleted"] == gone} for gone in ("false", "true")}
                        self.assertEqual((len(came["false"]), len(came["true"])), wanted)


if __name__ == "__main__":
    unittest.main(verbosity=2)
