"""How a heading is known to be about one of the eight topics."""

from __future__ import annotations

import pytest

from proxy_addon.core.notices.topics import TITLES, Topic, topics_of

HEADINGS = {
    Topic.PURPOSE: [
        "Purpose",
        "Why there is a policy",
        "Zweck",
        "Warum es eine Richtlinie gibt",
        "Pourquoi une charte",
        "Por qué hay una norma",
    ],
    Topic.RESPONSIBILITY: [
        "Who is responsible",
        "Responsibilities",
        "Accountability",
        "Wer verantwortlich ist",
        "Qui est responsable",
        "Responsables",
    ],
    Topic.CONDUCT: [
        "What may and may not be said",
        "What you may say",
        "Tone and conduct",
        "Was gesagt werden darf",
        "Ce que l'on peut dire",
        "Qué se puede decir",
    ],
    Topic.ESCALATION: [
        "When and to whom to escalate",
        "Escalation",
        "When to raise the alarm",
        "In einer Krise",
        "En cas de crise",
        "En una crisis",
        "Emergencies",
    ],
    Topic.PUBLIC: [
        "Talking with the public",
        "Customers and press",
        "Gespräche mit Kunden",
        "Parler avec le public",
        "Hablar con el público",
    ],
    Topic.DISCLAIMER: [
        "Disclaimer",
        "In your bio",
        "A sentence for your profile",
        "Ihr Profil",
        "Une mention pour votre bio",
        "Un aviso para su biografía",
    ],
    Topic.IMAGES: ["Images and video", "Pictures", "Photos", "Bilder", "Vidéo", "Imágenes"],
    Topic.CONFIDENTIALITY: [
        "Data protection and confidentiality",
        "Your data",
        "Privacy",
        "Datenschutz",
        "Protection des données",
        "Datos y confidencialidad",
    ],
}


@pytest.mark.parametrize(
    ("topic", "title"), [(topic, title) for topic, titles in HEADINGS.items() for title in titles]
)
@pytest.mark.parametrize("changed", [str, str.upper])
def test_a_heading_announces_its_topic(topic: Topic, title: str, changed: object) -> None:
    """In four languages, whatever the case of the letters."""
    assert callable(changed)
    assert topic in topics_of(changed(title))


@pytest.mark.parametrize("title", ["", "Your allowance", "If it goes wrong", "Lunch", "Biology"])
def test_a_heading_of_something_else(title: str) -> None:
    """It announces none of them: words count from their beginning, and short ones to their end."""
    assert topics_of(title) == frozenset()


def test_an_identifier_decides() -> None:
    """`{#escalation}` names the topic, whatever the words are; another identifier names none."""
    assert topics_of("In a storm", "escalation") == {Topic.ESCALATION}
    assert topics_of("In a storm about our data", "escalation") == {Topic.ESCALATION}
    assert topics_of("Privacy", "storm") == {Topic.CONFIDENTIALITY}


def test_every_topic_has_a_title() -> None:
    """Problems can name each of them."""
    assert set(TITLES) == set(Topic)
