"""Runs what README says of dbt, as it stands: makes the role, gives it the grants, and builds with dbt as that role, twice
with changes in between. What the models hold is what the feed gives the same account."""

import io
import json
import os
import re
import subprocess
import sys
import time
import unittest
from contextlib import closing
from datetime import date
from pathlib import Path
from textwrap import dedent
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import psycopg2
import psycopg2.errors

SERVER = os.environ["SERVER"]
PROJECT = Path(os.environ["PROJECT"])
URL = urlsplit(os.environ["CX_DATABASE_URL"])
README = (Path(__file__).parent.parent / "README.md").read_text()
# As README's programs have them.
ROLE, PASSWORD, SCHEMA, ACCOUNT = "metabase", "a long password of the tool", "analytics", "bea-analyst"

FILES = {
    "dbt_project.yml": """
        name: journeys
        profile: journeys
        flags: {send_anonymous_usage_stats: false}
    """,
    "profiles.yml": f"""
        journeys:
          target: here
          outputs:
            here: {{type: postgres, host: localhost, port: {URL.port}, user: {ROLE}, password: {PASSWORD}, dbname: cx, schema: {SCHEMA}, threads: 2}}
    """,
    "models/models.yml": f"""
        sources:
          - name: bi
            tables: [{{name: kpi_facts}}, {{name: kpi_current}}]
          - name: feed
            schema: {SCHEMA}
            tables: [{{name: kpi_facts_changed}}]
        models:
          - name: facts_by_day
            columns: [{{name: row_id, data_tests: [unique, not_null]}}]
          - name: facts_of_feed
            columns: [{{name: row_id, data_tests: [unique, not_null]}}]
          - name: current_figures
            columns: [{{name: row_id, data_tests: [unique, not_null]}}]
    """,
    # What dbt reads from the views: the days of the last weeks again, each of them whole.
    "models/facts_by_day.sql": """
        {{ config(materialized='incremental', incremental_strategy='delete+insert', unique_key='measured_on') }}
        SELECT * FROM {{ source('bi', 'kpi_facts') }}
        {% if is_incremental() %} WHERE measured_on > (SELECT max(measured_on) - 31 FROM {{ this }}) {% endif %}
    """,
    "models/current_figures.sql": """
        {{ config(materialized='view') }}
        SELECT * FROM {{ source('bi', 'kpi_current') }}
    """,
    # What README says of dbt where it pulls what changed.
    "models/facts_changed.sql": """
        {{ config(materialized='incremental', incremental_strategy='delete+insert', unique_key='measurement_id') }}
        SELECT * FROM {{ source('feed', 'kpi_facts_changed') }}
    """,
    "models/facts_of_feed.sql": """
        {{ config(materialized='view') }}
        SELECT * FROM {{ ref('facts_changed') }} WHERE NOT is_deleted
    """,
}


def sent(path, body=None, **headers):
    data = None if body is None else json.dumps(body).encode()
    request = Request(SERVER + path, data, {"content-type": "application/json", **headers})
    return urlopen(request, timeout=20)


def bearer(login):
    token = json.load(sent("/auth/login", {"login": login, "password": "blueprint"}))["accessToken"]
    return {"authorization": f"Bearer {token}"}


def program(about):
    """README's only shell program that says `about`."""
    [found] = [text for text in re.findall(r"^```sh\n(.*?)^```$", README, re.M | re.S) if about in text]
    return found


def shell(text):
    env = {**os.environ, "PGPORT": str(URL.port)}
    done = subprocess.run(["bash", "-euo", "pipefail", "-c", text], env=env, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, f"{text}\n{done.stdout}{done.stderr}"
    return done.stdout


def as_role(sql, *copied):
    """What a statement gives the role, in rows by name."""
    connected = psycopg2.connect(host="localhost", port=URL.port, dbname="cx", user=ROLE, password=PASSWORD)
    with closing(connected), connected, connected.cursor() as cursor:
        if copied:
            cursor.copy_expert(sql, *copied)
        else:
            cursor.execute(sql)
        if cursor.description:
            names = [column.name for column in cursor.description]
            return [dict(zip(names, row)) for row in cursor.fetchall()]


class Building(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        for name, text in FILES.items():
            (PROJECT / name).parent.mkdir(exist_ok=True)
            (PROJECT / name).write_text(dedent(text).lstrip())
        cls.reader, cls.writer = bearer(ACCOUNT), bearer("ann-cx")

    def fed(self, dataset):
        with sent(f"/bi/v1/{dataset}.ndjson", **self.reader) as answer:
            return sorted((json.loads(line) for line in answer), key=lambda row: row["row_id"])

    def ask(self, query, **variables):
        answer = json.load(sent("/graphql", {"query": query, "variables": variables}, **self.writer))
        self.assertNotIn("errors", answer)
        return answer["data"]

    def load(self, mark):
        """Loads what the feed says has changed since, into the table that the model reads."""
        with sent(f"/bi/v1/kpi_facts.csv?updated_since={mark}", **self.reader) as answer:
            text, mark = io.StringIO(answer.read().decode()), answer.headers["Updated-Until"]
        as_role(f"TRUNCATE {SCHEMA}.kpi_facts_changed")
        as_role(f"COPY {SCHEMA}.kpi_facts_changed FROM STDIN (FORMAT csv, HEADER match)", text)
        return mark

    def build(self, *more):
        """README's two commands before and for a build: rights looked at anew, then what dbt makes and tests."""
        shell("cx-blueprint bi refresh")
        dbt = [Path(sys.executable).with_name("dbt"), "--no-use-colors", "build", "--project-dir", ".", "--profiles-dir", ".", *more]
        began = time.monotonic()
        done = subprocess.run(dbt, cwd=PROJECT, capture_output=True, text=True, timeout=180)
        print(f"dbt build {' '.join(more)}: {time.monotonic() - began:.1f} s", file=sys.stderr)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        # Four models, and of three of them each two tests of their key.
        self.assertIn("PASS=10 WARN=0 ERROR=0 SKIP=0 NO-OP=0 TOTAL=10", done.stdout)

    def hold(self):
        """Each model has the rows of the feed."""
        facts = self.fed("kpi_facts")
        for model, wanted in (
            ("facts_by_day", facts),
            ("facts_of_feed", [row | {"is_deleted": False} for row in facts]),
            ("current_figures", self.fed("kpi_current")),
        ):
            rows = as_role(f"SELECT * FROM {SCHEMA}.{model}")
            rows = [{name: str(cell) if isinstance(cell, date) else cell for name, cell in row.items()} for row in rows]
            self.assertGreater(len(wanted), 0, model)
            self.assertEqual(sorted(rows, key=lambda row: row["row_id"]), wanted, model)

    def test_dbt_builds_as_readme_has_it(self):
        said = shell(re.sub(r"^export CX_DATABASE_URL=.*\n", "", program("bi role create metabase"), flags=re.M))
        self.assertRegex(said, r"department_name +\| missed", "README's own question of the views")
        shell(program("CREATE SCHEMA analytics"))

        as_role(f"CREATE TABLE {SCHEMA}.kpi_facts_changed AS SELECT *, false AS is_deleted FROM bi.kpi_facts LIMIT 0")
        mark = self.load("")
        self.build("--full-refresh")
        self.hold()

        kpi = self.ask('{ kpi(by: {key: "KB3"}) { id } }')["kpi"]["id"]
        [measurement] = {row["measurement_id"] for row in self.fed("kpi_facts") if (row["kpi_key"], row["measured_on"]) == ("KB3", "2025-03-31")}
        for name, kind, input in (
            ("kpiMeasurementsRecord", "KpiMeasurementsRecordInput", {"measurements": [{"kpiId": kpi, "measuredOn": "2025-04-30", "value": 5.25}]}),
            ("kpiMeasurementCorrect", "KpiMeasurementCorrectInput", {"measurementId": measurement, "value": 6.5}),
        ):
            told = self.ask(f"mutation($input: {kind}!) {{ {name}(input: $input) {{ userErrors {{ message }} }} }}", input=input)
            self.assertEqual(told[name]["userErrors"], [])
        before = {model: as_role(f"SELECT xmin::text AS by, row_id FROM {SCHEMA}.{model}") for model in ("facts_by_day", "facts_changed")}
        self.load(mark)
        self.build()
        self.hold()
        for model, rows in before.items():
            now = {row["row_id"]: row["by"] for row in as_role(f"SELECT xmin::text AS by, row_id FROM {SCHEMA}.{model}")}
            stayed = sum(now.get(row["row_id"]) == row["by"] for row in rows)
            self.assertTrue(0 < stayed < len(now), f"{stayed} of {len(now)} rows of {model} were left as they were")

        for refused in ("TABLE public.account", "TABLE public.bi_reach", "CREATE TABLE public.mine (one integer)", "CREATE SCHEMA mine", "DELETE FROM public.kpi"):
            with self.assertRaises(psycopg2.errors.InsufficientPrivilege, msg=refused):
                as_role(refused)
        shell(f'psql "$CX_DATABASE_URL" -c "DROP OWNED BY {ROLE}" && cx-blueprint bi role drop {ROLE}')
        with self.assertRaises(psycopg2.OperationalError):
            as_role("SELECT 1")


if __name__ == "__main__":
    unittest.main(verbosity=2)
