"""Reads the running demo as programs that draw charts do, and holds what they come to against what GraphQL gives: a
client of OData made elsewhere, pandas, DuckDB and dask over the CSV feed, for an analyst and for a lead."""

import json
import math
import os
import tempfile
import unittest
from collections import defaultdict
from urllib.request import Request, urlopen

import dask
import dask.dataframe
import duckdb
import pandas
import requests
from odata import ODataService
from odata.exceptions import ODataError

SERVER = os.environ["SERVER"]
ODATA = f"{SERVER}/bi/odata/v4/"
CSV = f"{SERVER}/bi/v1/kpi_facts.csv?from=2025-01-01&to=2026-01-01"
DAYS = "measured_on ge 2025-01-01 and measured_on lt 2026-01-01"
PAGE = 50
FACTS = """query($after: String) { kpiFacts(first: 200, after: $after, filter: {from: "2025-01-01", to: "2026-01-01"}) {
    nodes { rowId measurementId kpiKey value rowWeight role isDelivering touchpointName } pageInfo { hasNextPage endCursor } } }"""
# Rows of the demo: who sees nothing would agree with everybody.
WANTED = {"bea-analyst": 360, "jon-lead-aftersales": 24}


def posted(path, body, token=None):
    headers = {"content-type": "application/json"}
    if token:
        headers["authorization"] = f"Bearer {token}"
    request = Request(SERVER + path, json.dumps(body).encode(), headers)
    with urlopen(request, timeout=20) as answer:
        return json.load(answer)


def totals(rows):
    """By KPI: how many measurements there are, and what values and weights come to. A row is (kpi, measurement, value, weight)."""
    groups = defaultdict(list)
    for row in rows:
        groups[row[0]].append(row[1:])
    return {
        kpi: (
            len({measurement for measurement, _, _ in group}),
            math.fsum(value for _, value, _ in group),
            math.fsum(weight for _, _, weight in group),
        )
        for kpi, group in groups.items()
    }


class Reading(unittest.TestCase):
    """What one account reads, in each way."""

    login = None

    @classmethod
    def setUpClass(cls):
        signed_in = posted("/auth/login", {"login": cls.login, "password": "blueprint"})
        cls.token = signed_in["accessToken"]
        cls.bearer = {"Authorization": f"Bearer {cls.token}"}
        cls.facts, after = [], None
        while True:
            page = posted("/graphql", {"query": FACTS, "variables": {"after": after}}, cls.token)["data"]["kpiFacts"]
            cls.facts += page["nodes"]
            after = page["pageInfo"]["endCursor"]
            if not page["pageInfo"]["hasNextPage"]:
                break
        cls.totals = totals((row["kpiKey"], row["measurementId"], row["value"], row["rowWeight"]) for row in cls.facts)

    def agree(self, other):
        self.assertEqual(other.keys(), self.totals.keys())
        for kpi, (measurements, values, weights) in self.totals.items():
            self.assertEqual(other[kpi][0], measurements, kpi)
            self.assertTrue(math.isclose(other[kpi][1], values, rel_tol=1e-12), (kpi, other[kpi], values))
            self.assertTrue(math.isclose(other[kpi][2], weights, rel_tol=1e-12), (kpi, other[kpi], weights))

    def service(self):
        """The service as its metadata says it is. The token is the password; pages are small, to have many."""
        self.requests = []
        session = requests.Session()
        session.headers["Prefer"] = f"odata.maxpagesize={PAGE}"
        session.hooks["response"].append(lambda answer, *_, **__: self.requests.append(answer.url))
        return ODataService(ODATA, session=session, auth=("whoever", self.token), reflect_entities=True, quiet_progress=True)

    def test_graphql_gives_what_the_demo_is_known_for(self):
        self.assertEqual(len(self.facts), WANTED[self.login])
        for kpi, (measurements, _, weights) in self.totals.items():
            self.assertTrue(math.isclose(weights, measurements, rel_tol=1e-12), f"the weights of {kpi} are those of its measurements")

    def test_a_client_of_odata_follows_pages_to_the_same_totals(self):
        service = self.service()
        facts = service.entities["kpi_facts"]
        before = len(self.requests)
        rows = service.query(facts).filter(DAYS).all()
        self.assertEqual(len(self.requests) - before, math.ceil(len(self.facts) / PAGE), "one request a page")
        self.assertEqual([row.row_id for row in rows], [row["rowId"] for row in self.facts])
        self.agree(totals((row.kpi_key, row.measurement_id, row.value, row.row_weight) for row in rows))

    def test_what_that_client_asks_is_understood(self):
        service = self.service()
        facts = service.entities["kpi_facts"]
        query = service.query(facts).filter(DAYS)
        role = self.facts[0]["role"]
        name = self.facts[0]["touchpointName"]
        asked = [
            (facts.role == role, lambda row: row["role"] == role),
            (facts.role != role, lambda row: row["role"] != role),
            (facts.role.is_null(), lambda row: row["role"] is None),
            # This client takes doubles and days for texts, so that numbers are written for it.
            ("value gt 50", lambda row: row["value"] > 50),
            (facts.touchpoint_name.startswith(name[:3]), lambda row: (row["touchpointName"] or "").startswith(name[:3])),
            (facts.touchpoint_name.contains(name[2:-2]), lambda row: name[2:-2] in (row["touchpointName"] or "")),
            ((facts.role == "ACCOUNTABLE") | (facts.role == "INFORMED"), lambda row: row["role"] in ("ACCOUNTABLE", "INFORMED")),
            ((facts.kpi_key == self.facts[0]["kpiKey"]) & (facts.is_delivering == True), lambda row: row["kpiKey"] == self.facts[0]["kpiKey"] and row["isDelivering"]),
        ]
        for condition, wanted in asked:
            rows = query.filter(condition).select(facts.row_id).all()
            self.assertEqual([row["row_id"] for row in rows], [row["rowId"] for row in self.facts if wanted(row)], str(condition))
            self.assertEqual(query.filter(condition).count(), len(rows), str(condition))
        highest = query.order_by(facts.value.desc()).limit(5).all()
        self.assertEqual([row.value for row in highest], sorted((row["value"] for row in self.facts), reverse=True)[:5])
        # Without a filter: from the first measured day through today.
        self.assertEqual(service.query(facts).count(), len(self.facts))
        departments = service.entities["departments"]
        keys = [row.department_key for row in service.query(departments)]
        self.assertEqual(len(keys), len(set(keys)))
        self.assertGreater(len(keys), 30)

    def test_pandas_reads_the_feed_to_the_same_totals(self):
        table = pandas.read_csv(CSV, storage_options=self.bearer)
        self.assertEqual(list(table["row_id"]), [row["rowId"] for row in self.facts])
        self.agree(totals(table[["kpi_key", "measurement_id", "value", "row_weight"]].itertuples(index=False, name=None)))

    def test_duckdb_reads_the_feed_to_the_same_totals(self):
        # Reading over HTTP is an extension that DuckDB would have to download first.
        with tempfile.NamedTemporaryFile(suffix=".csv") as file:
            file.write(requests.get(CSV, headers=self.bearer, timeout=20).content)
            file.flush()
            rows = duckdb.sql(
                f"""SELECT kpi_key, count(DISTINCT measurement_id), fsum(value), fsum(row_weight)
                    FROM read_csv('{file.name}') GROUP BY kpi_key"""
            ).fetchall()
        self.agree({kpi: tuple(total) for kpi, *total in rows})

    def test_dask_reads_the_feed_by_months_to_the_same_totals(self):
        # A feed has no length before it is read, so that dask cannot cut one into blocks by itself: each is one block. Two
        # at a time, as many as an account may have.
        begins = [f"2025-{month:02}-01" for month in range(1, 13)] + ["2026-01-01"]
        months = [f"{SERVER}/bi/v1/kpi_facts.csv?from={one}&to={next}" for one, next in zip(begins, begins[1:])]
        with dask.config.set(scheduler="threads", num_workers=2):
            table = dask.dataframe.read_csv(months, blocksize=None, storage_options={"headers": self.bearer})
            self.assertEqual(table.npartitions, len(months))
            by_kpi = table.groupby("kpi_key")
            counted, summed = dask.compute(by_kpi.measurement_id.nunique(), by_kpi[["value", "row_weight"]].sum())
        self.agree({kpi: (counted[kpi], *sums) for kpi, *sums in summed.itertuples(name=None)})


class Analyst(Reading):
    login = "bea-analyst"


class Lead(Reading):
    login = "jon-lead-aftersales"


def load_tests(loader, _tests, _pattern):
    return unittest.TestSuite(loader.loadTestsFromTestCase(account) for account in (Analyst, Lead))


if __name__ == "__main__":
    unittest.main(verbosity=2)
