"""The glossary: the document is what the page shows, and the page's template holds nothing that would be evaluated."""

from pathlib import Path

from iterit_ui.shared import glossary

ROOT = Path(__file__).parents[2]


def test_the_document_is_the_pages_glossary():
    written = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    assert written == glossary.markdown(), "run: python -m iterit_ui.shared.glossary > docs/glossary.md"


def test_nothing_of_it_would_be_evaluated_in_a_template():
    shown = glossary.html()
    assert not any(mark in shown for mark in ("`", "${", "{{"))
    assert "<code>w_t *= decay</code>" in shown and "<dt>complexity</dt>" in shown


def test_a_term_stands_once_and_a_hint_has_no_markup():
    terms = [term for topic in glossary.GLOSSARY.values() for term in topic]
    assert len(terms) == len(set(terms))
    assert "`" not in glossary.meaning("complexity")
