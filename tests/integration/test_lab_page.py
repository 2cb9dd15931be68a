"""The page of a lab in a browser: drawn, marked, readable, and asking nobody for anything."""

import struct
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from mplskit import process
from mplskit.lab.evidence import Check, Command, Counter
from mplskit.lab.grammar.labs import load
from mplskit.lab.html.page import write_page
from mplskit.lab.lab_report import Cause, LabReport, StepReport

pytestmark = pytest.mark.full

LABELLED = bytes.fromhex(
    "020000000002020000000001884700065140"  # Ethernet, label 101, S, TTL 64
    "45000054000040004001b0b9c0a80abbc0a80a98"  # IPv4, DF
    "0800000000070001"
)
CONTRAST = """([selector]) => {
    const luminance = colour => {
        const parts = colour.match(/[\\d.]+/g).slice(0, 3).map(Number).map(value => {
            const part = value / 255
            return part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
        })
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]
    }
    const ground = element => {
        for (let at = element; at; at = at.parentElement) {
            const colour = getComputedStyle(at).backgroundColor
            if (!/rgba\\(.*, 0\\)$/.test(colour)) return colour
        }
    }
    const element = document.querySelector(selector)
    const [a, b] = [getComputedStyle(element).color, ground(element)].map(luminance)
    return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)
}"""
OVERLAPS = """() => {
    const texts = [...document.querySelectorAll('svg text')]
    const boxes = texts.map(text => [text.textContent, text.getBoundingClientRect()])
    const found = []
    boxes.forEach(([words, a], index) => boxes.slice(index + 1).forEach(([others, b]) => {
        const across = Math.min(a.right, b.right) - Math.max(a.left, b.left)
        const down = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top)
        if (across > 1 && down > 3) found.push(`${words} / ${others}`)
    }))
    return found
}"""


def report(lab: str, folder: Path) -> LabReport:
    """A report with a step that passed and one that failed."""
    packets = b"".join(struct.pack("<IIII", 1, number, len(LABELLED), len(LABELLED)) + LABELLED for number in range(25))
    (folder / "step-1.ler-2.eth0.pcap").write_bytes(struct.pack("<IHHIIII", 0xA1B2C3D4, 2, 4, 0, 0, 9216, 1) + packets)
    failed = StepReport(
        "The ping answers",
        "failed",
        (Check("ping 1 → 2", "0 % loss", "100 % loss", False), Check("capture", "label 101", "label 101", True)),
        (
            Command(
                "ip netns exec x ping -n -c 5 192.168.10.152", 1, "5 packets transmitted, 0 received <&>", 2.5, "ler-1"
            ),
        ),
        ("step-1.ler-2.eth0.pcap",),
        2.5,
        (Counter("ler-2", "eth0", "rx.noroute", 0, 5),),
        (Cause("ler-2", "R2", "each route is there", "101 is not there", "it was removed", "node.bootstrap"),),
    )
    steps = (StepReport("The nodes are set up", "passed", seconds=1.0), failed, StepReport("Later", "skipped"))
    return LabReport(
        lab, load(lab).proves, "namespaces", "6.12.0", "iproute2-6.1.0", False, steps, 3.5, folder, load(lab)
    )


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    process.require("chromium", package="chromium")
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        yield found
        found.close()


def opened(browser: Browser, folder: Path, lab: str, width: int = 1280, dark: bool = False) -> tuple[Page, list[str]]:
    """The page of a lab, and what it asked for."""
    (folder / "report.html").write_text(write_page(report(lab, folder)))
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme="dark" if dark else "light")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto((folder / "report.html").as_uri())
    return page, asked


@pytest.mark.parametrize("lab", ["hello-world", "openvpn", "openvpn-tun", "ecmp", "explicit-null", "stack"])
def test_nodes_links_and_labels_are_drawn_and_nothing_lies_on_anything_else(
    browser: Browser, tmp_path: Path, lab: str
) -> None:
    page, _ = opened(browser, tmp_path, lab)
    topology = load(lab)
    assert page.locator("svg .node").all_text_contents() == list(
        dict.fromkeys(page.locator("svg .node").all_text_contents())
    )
    assert set(page.locator("svg .node").all_text_contents()) == set(topology.nodes)
    assert page.locator("svg line").count() == len(topology.links) + (lab == "openvpn")
    assert page.locator("svg .label").count() >= 2
    assert page.evaluate(OVERLAPS) == []


def test_labels_stand_on_the_links_in_their_direction(browser: Browser, tmp_path: Path) -> None:
    page, _ = opened(browser, tmp_path, "lsr")
    assert page.locator("svg .label").all_text_contents() == ["↓ 101", "↑ 202", "↓ 201", "↑ 102"]


def test_a_failing_step_is_marked_and_open_and_the_others_are_folded(browser: Browser, tmp_path: Path) -> None:
    page, _ = opened(browser, tmp_path, "hello-world")
    assert page.locator("details.step").evaluate_all("steps => steps.map(step => step.open)") == [False, True, False]
    assert page.locator("details.step.failed summary .mark").first.inner_text() == "✗ failed"
    assert page.locator(".cause").inner_text().startswith("R2 on ler-2, not so: each route is there")
    assert page.get_by_text("✗ not so").count() == 1


def test_packets_are_decoded_layer_by_layer_and_the_capture_lies_beside(browser: Browser, tmp_path: Path) -> None:
    page, _ = opened(browser, tmp_path, "hello-world")
    assert page.locator("ol.packets > li").count() == 20
    layers = page.locator("ol.packets > li").first.locator("ol.layers li")
    assert layers.evaluate_all("items => items.map(item => item.textContent)") == [
        "Ethernet 02:00:00:00:00:01 → 02:00:00:00:00:02, type 0x8847 MPLS",
        "MPLS label 101, TC 0, S 1, TTL 64",
        "IPv4 192.168.10.187 → 192.168.10.152, TTL 64, 84 bytes, DF, ICMP",
        "ICMP echo request, id 7, seq 1",
    ]
    assert page.locator("a[href='step-1.ler-2.eth0.pcap']").count() == 1
    assert page.get_by_text("The first 20 of 25:").count() == 1


def test_no_request_leaves_the_page(browser: Browser, tmp_path: Path) -> None:
    page, asked = opened(browser, tmp_path, "hello-world")
    page.locator("details").evaluate_all("all => all.forEach(one => { one.open = true })")
    page.wait_for_load_state("networkidle")
    assert asked == [(tmp_path / "report.html").as_uri()]


@pytest.mark.parametrize("lab", ["hello-world", "openvpn", "ecmp"])
def test_on_a_phone_the_page_does_not_scroll_sideways(browser: Browser, tmp_path: Path, lab: str) -> None:
    page, _ = opened(browser, tmp_path, lab, width=390)
    page.locator("details").evaluate_all("all => all.forEach(one => { one.open = true })")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.locator("svg").bounding_box() is not None


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize(
    "selector", ["p", "summary .mark.passed", "summary .mark.failed", "td", "th", ".cause dt", ".facts", "pre"]
)
def test_text_stands_out_from_its_ground(browser: Browser, tmp_path: Path, selector: str, dark: bool) -> None:
    page, _ = opened(browser, tmp_path, "hello-world", dark=dark)
    assert page.evaluate(CONTRAST, [selector]) >= 4.5


def test_light_and_dark_differ(browser: Browser, tmp_path: Path) -> None:
    grounds = [
        opened(browser, tmp_path, "hello-world", dark=dark)[0].evaluate(
            "getComputedStyle(document.body).backgroundColor"
        )
        for dark in (False, True)
    ]
    assert grounds == ["rgb(255, 255, 255)", "rgb(20, 23, 28)"]
