"""The eight topics that a written policy on social media has to have, and how a heading is known.

A heading names its topic in one of the languages below, or by its identifier:
`## In a storm {#escalation}`.
"""

from __future__ import annotations

import re
from enum import StrEnum


class Topic(StrEnum):
    """What has to be said; the value is the identifier."""

    PURPOSE = "purpose"
    RESPONSIBILITY = "responsibility"
    CONDUCT = "conduct"
    ESCALATION = "escalation"
    PUBLIC = "public"
    DISCLAIMER = "disclaimer"
    IMAGES = "images"
    CONFIDENTIALITY = "confidentiality"


# As problems name them: what the section has to tell.
TITLES = {
    Topic.PURPOSE: "the purpose of the policy",
    Topic.RESPONSIBILITY: "who is responsible",
    Topic.CONDUCT: "what may and may not be said",
    Topic.ESCALATION: "when and to whom to escalate",
    Topic.PUBLIC: "talking with the public",
    Topic.DISCLAIMER: "the disclaimer in a bio",
    Topic.IMAGES: "images and video",
    Topic.CONFIDENTIALITY: "data protection and confidentiality",
}

# Beginnings of words in English, German, French and Spanish; an underscore ends a word.
_WORDS = {
    Topic.PURPOSE: "purpose why aim_ aims_ goal zweck ziel warum wozu objet but_ pourquoi finalit objectif "
    "objetivo propósito por_qué",
    Topic.RESPONSIBILITY: "responsib accountab in_charge verantwort zuständig responsab",
    Topic.CONDUCT: "said say_ saying conduct tone post_ posting publish content may_not allowed "
    "gesagt sagen äußer umgangston inhalt veröffentlich dire_ dit_ propos contenu publier "
    "decir dice publicar contenido conducta",
    Topic.ESCALATION: "escalat alarm crisis crises emergenc raise eskal krise notfall meld "
    "escalad alerte crise urgence escala alarma emergencia avisar",
    Topic.PUBLIC: "public_ customer engag communit press_ journalist öffentlichkeit kund presse "
    "publique clients público cliente prensa",
    Topic.DISCLAIMER: "disclaim bio_ profile haftungs profil biograf avertissement mention perfil descargo aviso",
    Topic.IMAGES: "image picture photo video bild foto film photograph vidéo imagen imágen vídeo",
    Topic.CONFIDENTIALITY: "data confidential privacy secre daten vertraulich geheim donnée confidentialit vie_privée "
    "datos confidencial privacidad",
}


def _pattern(words: str) -> re.Pattern[str]:
    parts = (
        re.escape(word.replace("_", " ").rstrip()) + (r"\b" if word.endswith("_") else "")
        for word in words.split()
    )
    return re.compile(rf"\b(?:{'|'.join(parts)})", re.IGNORECASE)


_PATTERNS = {topic: _pattern(words) for topic, words in _WORDS.items()}


def topics_of(title: str, identifier: str = "") -> frozenset[Topic]:
    """The topics that a heading announces; one heading may announce several."""
    if identifier in tuple(Topic):
        return frozenset({Topic(identifier)})
    return frozenset(topic for topic, words in _PATTERNS.items() if words.search(title))
