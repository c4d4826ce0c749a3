from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsbeam.language import detect, normalize_language


@pytest.mark.parametrize(
    ("tag", "code"),
    [
        ("en", "en"),
        ("en-GB", "en"),
        ("en_US.UTF-8", "en"),
        (" DE ", "de"),
        ("en-UK", "en"),
        ("zh-Hant-TW", "zh"),
        ("cmn", "zh"),
        ("yue-HK", "zh"),
        ("nb-NO", "no"),
        ("nn", "no"),
        ("iw", "he"),
        ("eng", "en"),
        ("", None),
        (None, None),
        ("und", None),
        ("xx", None),
        ("english", None),
        ("e", None),
        ("en\nfr", None),
        ("*", None),
    ],
)
def test_tags(tag: str | None, code: str | None) -> None:
    assert normalize_language(tag) == code


TEXTS = {
    "en": "The council turned down the plan for a floating hotel after skippers objected to it.",
    "de": "Der Rat lehnte den Plan für ein schwimmendes Hotel ab, nachdem die Schiffer sich beschwert hatten.",
    "fr": "Le conseil a rejeté le projet d’hôtel flottant après les objections des patrons de pêche.",
    "es": "El consejo rechazó el plan de un hotel flotante después de las quejas de los pescadores.",
    "it": "Il consiglio ha respinto il progetto di un albergo galleggiante dopo le proteste dei pescatori.",
    "ru": "Совет отклонил план строительства плавучей гостиницы после возражений рыбаков.",
    "uk": "Рада відхилила план плавучого готелю після заперечень рибалок, повідомили у порту.",
    "ar": "رفض المجلس خطة إقامة فندق عائم بعد اعتراض الصيادين وشركتي عبارات",
    "ja": "町議会は漁業者の反対を受けて、水上ホテルの計画を否決した。",
    "ko": "시의회는 어민들의 반대로 수상 호텔 계획을 부결했다고 밝혔다.",
    "zh": "市议会在渔民和渡轮公司反对后否决了水上酒店的计划。",
    "th": "สภาเมืองปฏิเสธแผนโรงแรมลอยน้ำหลังจากชาวประมงคัดค้าน",
    "vi": "Hội đồng thành phố đã bác bỏ kế hoạch khách sạn nổi sau khi ngư dân phản đối.",
    "no": "Kommunestyret avviste planen om et flytende hotell etter at fiskerne protesterte.",
}


@pytest.mark.parametrize("code", TEXTS)
def test_languages(code: str) -> None:
    assert detect(TEXTS[code]) == code


def test_traditional_chinese_is_chinese() -> None:
    assert detect("市議會在漁民和渡輪公司反對後否決了水上酒店的計劃。") == "zh"


def test_a_wrong_hint_does_not_outvote_a_clear_text() -> None:
    assert detect(TEXTS["de"] + " " + TEXTS["de"], hint="en-US") == "de"


@pytest.mark.parametrize("text", ["", "NATO", "12 345 67,8 %", "…!?", "https"])
def test_a_text_that_says_nothing_has_the_hints_language_or_none(text: str) -> None:
    assert detect(text) is None
    assert detect(text, hint="pt-BR") == "pt"
    assert detect(text, hint="nonsense") is None


def test_the_hint_decides_where_the_detector_is_unsure() -> None:
    title = "Trump, Putin, Merkel"  # names say nothing
    assert {detect(title, hint=hint) for hint in ("de", "en")} == {"de", "en"}


@settings(deadline=None, max_examples=100)
@given(st.text(max_size=300), st.one_of(st.none(), st.text(max_size=8), st.sampled_from(("en", "nb", "zh-TW"))))
def test_any_text_has_a_code_or_none_and_always_the_same(text: str, hint: str | None) -> None:
    code = detect(text, hint=hint)
    assert code is None or normalize_language(code) == code
    assert detect(text, hint=hint) == code
