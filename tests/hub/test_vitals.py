"""Pages tell how they felt: it is counted, bounded, and says nothing of anybody."""

import httpx2
import pytest

from tests.hub.conftest import Hubs

VISIT = {"page": "app", "screen": "phone", "lcp": 640, "inp": 24, "cls": 10, "taps": [48, 1200], "connects": 2}


async def test_a_visit_becomes_figures(hubs: Hubs, web: httpx2.AsyncClient) -> None:
    label = '{page="app",screen="phone"}'
    names = [f"payhub_page_{one}" for one in ("lcp_seconds", "inp_seconds", "cls", "tap_seconds")]
    before = await hubs.a.metrics()
    answer = await web.post(f"{hubs.a.url}/v1/vitals", json={**VISIT, "failures": 1, "reconnects": 1})
    assert answer.status_code == 200
    after = await hubs.a.metrics()
    grown = [after[f"{one}_count{label}"] - before.get(f"{one}_count{label}", 0.0) for one in names]
    assert grown == [1, 1, 1, 2]
    took = after[f"payhub_page_tap_seconds_sum{label}"] - before.get(f"payhub_page_tap_seconds_sum{label}", 0.0)
    assert took == pytest.approx(1.248)
    opened = 'payhub_page_connects_total{outcome="opened",page="app",screen="phone"}'
    assert after[opened] - before.get(opened, 0.0) == 2


@pytest.mark.parametrize(
    "wrong",
    [
        {"page": "elsewhere"},
        {"lcp": -1},
        {"lcp": 600_001},
        {"taps": [1] * 51},
        {"connects": 10_001},
        {"person": "somebody"},
        {"lcp": "1"},
        {"lcp": 1.5},
    ],
)
async def test_what_is_no_figure_is_not_counted(hubs: Hubs, web: httpx2.AsyncClient, wrong: dict[str, object]) -> None:
    answer = await web.post(f"{hubs.a.url}/v1/vitals", json={**VISIT, **wrong})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_field")


async def test_one_address_tells_of_so_many_visits_and_no_more(hubs: Hubs, web: httpx2.AsyncClient) -> None:
    codes = [(await web.post(f"{hubs.b.url}/v1/vitals", json=VISIT)).status_code for _ in range(130)]
    assert codes[:100] == [200] * 100
    assert codes[-1] == 429
