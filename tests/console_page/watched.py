"""A page of the browser, and what the browser complained about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext

WAIT_MS = 15_000
"""For what should be there at once; machines of tests are slow."""

LISTEN = """
window.violations = [];
document.addEventListener("securitypolicyviolation", (event) => {
  window.violations.push(`${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}`);
});
"""


MARKED = """(marks, index) => marks
  .filter((mark) => mark.dataset.evidence.split(" ").includes(index))
  .map((mark) => mark.textContent)
  .join("")"""


def expect(locator: Any) -> Any:
    """Playwright's waiting assertions; it is installed where browsers are tested only."""
    from playwright.sync_api import expect as waiting

    return waiting(locator)


def marked(text: Any, index: int) -> str:
    """What of a text is marked as evidence `index`; `text` is the locator of its words."""
    return text.locator("mark").evaluate_all(MARKED, str(index))


def show_content(page: Any) -> None:
    """With the key, once there is something that it can show."""
    expect(page.locator(".veil.is-down").first).to_be_attached()
    page.keyboard.press("v")
    expect(page.locator(".veil.is-down")).to_have_count(0)


class Watched:
    """One window with one page."""

    def __init__(self, context: BrowserContext) -> None:
        self._context = context
        context.set_default_timeout(WAIT_MS)
        context.add_init_script(LISTEN)
        self.page = context.new_page()
        self.expected: tuple[str, ...] = ()
        """Parts of complaints that the test provokes."""
        self.dialogs: list[str] = []
        """Texts of alert() and the like: the page has none, so these are somebody's script."""
        self._complaints: list[str] = []
        self.page.on("console", lambda message: self._complain(message.type, message.text))
        self.page.on("pageerror", lambda error: self._complaints.append(f"error: {error}"))
        self.page.on("dialog", self._dismiss)

    def complaints(self) -> list[str]:
        """Errors, warnings and breaches of the CSP that were not expected."""
        found = [*self._complaints, *(f"CSP: {breach}" for breach in self.violations())]
        return [one for one in found if not any(part in one for part in self.expected)]

    def violations(self) -> list[str]:
        return self.page.evaluate("window.violations")

    def text(self, selector: str) -> str:
        return self.page.locator(selector).first.inner_text()

    def overflow(self) -> int:
        """By how many pixels the page is wider than its window."""
        return self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")

    def close(self) -> None:
        self._context.close()

    def _complain(self, kind: str, text: str) -> None:
        if kind in ("error", "warning"):
            self._complaints.append(f"{kind}: {text}")

    def _dismiss(self, dialog: Any) -> None:
        self.dialogs.append(dialog.message)
        dialog.dismiss()
