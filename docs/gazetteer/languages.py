"""Writes config/entities/languages.yaml: names of countries, capitals and organizations in other languages.

    python docs/gazetteer/languages.py

Countries and cities are those of CLDR (Unicode licence) by way of the package babel (BSD); what CLDR lacks is in EXTRA,
written by hand. Russian and Ukrainian names of one word are given with the endings of their cases, Arabic ones with the
particles that are written together with them.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import countrynames
import yaml
from babel import Locale

ROOT = Path(__file__).resolve().parent.parent.parent / "config" / "entities"
LOCALES = {
    "ja": ["ja"], "ko": ["ko"], "zh": ["zh", "zh_Hant"], "fr": ["fr"], "de": ["de"], "es": ["es"], "pt": ["pt"],
    "id": ["id"], "vi": ["vi"], "ru": ["ru"], "ar": ["ar"], "it": ["it"], "nl": ["nl"], "tr": ["tr"], "hi": ["hi"],
    "th": ["th"], "uk": ["uk"], "pl": ["pl"], "fa": ["fa"], "ms": ["ms"], "sv": ["sv"],
}  # fmt: skip
ORGANIZATIONS = {"United Nations": "UN", "European Union": "EU"}
REGIONS = {"Asia": "142", "Africa": "002", "Europe": "150", "Southeast Asia": "035", "Oceania": "009"}
# Names in ja, ko, zh, fr, de, es, pt, id, vi, ru, ar; several are apart by "|".
LANGUAGES = ("ja", "ko", "zh", "fr", "de", "es", "pt", "id", "vi", "ru", "ar")
EXTRA = """
NATO; 北大西洋条約機構|NATO; 북대서양조약기구|나토; 北约|北約|北大西洋公约组织; OTAN; NATO|Nato; OTAN; OTAN|Otan; NATO; NATO; НАТО; الناتو|حلف شمال الأطلسي
ASEAN; 東南アジア諸国連合; 동남아시아국가연합|아세안; 东盟|東協|東盟|亚细安; ASEAN|Asean; ASEAN; ASEAN; ASEAN|Asean; ASEAN; ASEAN; АСЕАН; آسيان|رابطة دول جنوب شرق آسيا
Quad; 日米豪印|クアッド; 쿼드; 四方安全对话|四方安全對話; ; ; ; ; ; Bộ Tứ; ;
AUKUS; オーカス; 오커스; 奥库斯|澳英美三边安全伙伴关系; AUKUS|Aukus; AUKUS|Aukus; AUKUS|Aukus; AUKUS|Aukus; AUKUS; AUKUS; АУКУС|AUKUS; أوكوس
UN Security Council; 国連安全保障理事会|国連安保理|安保理; 유엔 안전보장이사회|유엔 안보리|안보리; 联合国安理会|聯合國安理會|安理会; Conseil de sécurité; UN-Sicherheitsrat|Sicherheitsrat; Consejo de Seguridad; Conselho de Segurança; Dewan Keamanan PBB; Hội đồng Bảo an; Совет Безопасности|Совбез ООН; مجلس الأمن
United Nations; 国連; 유엔; 联合国|聯合國; ONU|Nations unies; UNO|UN; ONU; ONU; PBB; LHQ|Liên Hợp Quốc; ООН; الأمم المتحدة
European Union; EU|欧州連合; EU|유럽연합; 欧盟|歐盟; UE|Union européenne; EU; UE; UE; Uni Eropa; EU|Liên minh châu Âu; ЕС|Евросоюз|Евросоюза|Евросоюзу; الاتحاد الأوروبي
World Health Organization; 世界保健機関; 세계보건기구; 世界卫生组织|世卫组织|世界衛生組織|世衛組織; OMS; WHO|Weltgesundheitsorganisation; OMS; OMS; WHO|Organisasi Kesehatan Dunia; WHO|Tổ chức Y tế Thế giới; ВОЗ; منظمة الصحة العالمية
IAEA; 国際原子力機関; 국제원자력기구; 国际原子能机构|國際原子能總署; AIEA; IAEA|IAEO; OIEA; AIEA; IAEA|Badan Energi Atom Internasional; IAEA; МАГАТЭ; الوكالة الدولية للطاقة الذرية
International Monetary Fund; 国際通貨基金; 국제통화기금; 国际货币基金组织|國際貨幣基金; FMI; IWF; FMI; FMI; IMF|Dana Moneter Internasional; IMF; МВФ; صندوق النقد الدولي
World Bank; 世界銀行; 세계은행; 世界银行|世界銀行; Banque mondiale; Weltbank; Banco Mundial; Banco Mundial; Bank Dunia; Ngân hàng Thế giới; Всемирный банк|Всемирного банка; البنك الدولي
World Trade Organization; 世界貿易機関; 세계무역기구; 世界贸易组织|世贸组织|世界貿易組織; OMC; WTO; OMC; OMC; WTO|Organisasi Perdagangan Dunia; WTO; ВТО; منظمة التجارة العالمية
G7; 主要7カ国; 주요 7개국; 七国集团|七國集團; ; ; ; ; ; ; «Большая семерка»|Большой семерки; مجموعة السبع
White House; ホワイトハウス; 백악관; 白宫|白宮; Maison-Blanche|Maison Blanche; Weißes Haus|Weiße Haus|Weißen Haus|Weißen Hauses; Casa Blanca; Casa Branca; Gedung Putih; Nhà Trắng; Белый дом|Белого дома|Белом доме; البيت الأبيض
Pentagon; 国防総省|ペンタゴン; 펜타곤|국방부; 五角大楼|五角大廈; Pentagone; Pentagon; Pentágono; Pentágono; Pentagon; Lầu Năm Góc; Пентагон|Пентагона|Пентагоне; البنتاغون
Kremlin; クレムリン; 크렘린; 克里姆林宫|克里姆林宮; Kremlin; Kreml; Kremlin; Kremlin; Kremlin; Điện Kremlin; Кремль|Кремля|Кремле; الكرملين
Indo-Pacific; インド太平洋; 인도·태평양|인도태평양|인태; 印太|印度太平洋; Indo-Pacifique|Indopacifique; Indopazifik|Indo-Pazifik; Indopacífico|Indo-Pacífico; Indo-Pacífico; Indo-Pasifik; Ấn Độ Dương - Thái Bình Dương|Ấn Độ - Thái Bình Dương; Индо-Тихоокеанский регион|Индо-Тихоокеанского региона|АТР; المحيطين الهندي والهادئ
South China Sea; 南シナ海; 남중국해; 南海|南中国海; mer de Chine méridionale|mer de Chine du Sud; Südchinesisches Meer|Südchinesischen Meer; mar de China Meridional|Mar de China Meridional|Mar del Sur de China; Mar do Sul da China|Mar da China Meridional; Laut China Selatan|Laut Cina Selatan; Biển Đông; Южно-Китайское море|Южно-Китайском море|Южно-Китайского моря; بحر الصين الجنوبي
East China Sea; 東シナ海; 동중국해; 东海|東海; mer de Chine orientale; Ostchinesisches Meer|Ostchinesischen Meer; mar de China Oriental|Mar de China Oriental; Mar da China Oriental; Laut China Timur|Laut Cina Timur; biển Hoa Đông; Восточно-Китайское море; بحر الصين الشرقي
Taiwan Strait; 台湾海峡; 대만해협; 台湾海峡|台海|台灣海峽; détroit de Taïwan|détroit de Taiwan; Taiwanstraße|Taiwan-Straße|Straße von Taiwan; estrecho de Taiwán|Estrecho de Taiwán; estreito de Taiwan|Estreito de Taiwan; Selat Taiwan; eo biển Đài Loan; Тайваньский пролив|Тайваньском проливе|Тайваньского пролива; مضيق تايوان
Beijing; 北京; 베이징; 北京; Pékin; Peking; Pekín; Pequim; ; Bắc Kinh; Пекин|Пекина|Пекине|Пекину|Пекином; بكين
Washington, D.C.; ワシントン; 워싱턴; 华盛顿|華盛頓; Washington; Washington; Washington; Washington; Washington; Washington; Вашингтон|Вашингтона|Вашингтоне|Вашингтону|Вашингтоном; واشنطن
New Delhi; ニューデリー; 뉴델리; 新德里; New Delhi; Neu-Delhi; Nueva Delhi; Nova Délhi|Nova Deli; New Delhi; New Delhi; Нью-Дели; نيودلهي
Canberra; キャンベラ; 캔버라; 堪培拉|坎培拉; ; ; Camberra; Camberra; ; ; Канберра|Канберре|Канберры; كانبرا
Wellington; ウェリントン; 웰링턴; 惠灵顿|威靈頓; ; ; ; ; ; ; Веллингтон|Веллингтоне; ولينغتون
Hanoi; ハノイ; 하노이; 河内|河內; Hanoï; ; Hanói; Hanói; ; Hà Nội; Ханой|Ханоя|Ханое; هانوي
Islamabad; イスラマバード; 이슬라마바드; 伊斯兰堡|伊斯蘭堡; ; ; ; ; ; ; Исламабад|Исламабада|Исламабаде; إسلام آباد
Ankara; アンカラ; 앙카라; 安卡拉; ; ; ; Ancara; ; ; Анкара|Анкары|Анкаре; أنقرة
Ottawa; オタワ; 오타와; 渥太华|渥太華; ; ; ; ; ; ; Оттава|Оттавы|Оттаве; أوتاوا
Kyiv; キーウ|キエフ; 키이우|키예프; 基辅|基輔; Kiev|Kyiv; Kiew; Kiev; Kiev; Kiev; Kiev; Киев|Киева|Киеве|Киеву|Киевом; كييف
Tokyo; 東京; 도쿄; 东京|東京; ; Tokio; Tokio; Tóquio; ; ; Токио; طوكيو
United States; 米国|アメリカ; 미국; 美国|美國; États-Unis|Etats-Unis; USA|Vereinigten Staaten; EE. UU.|EE.UU.|EEUU; EUA; AS|Amerika Serikat; Mỹ|Hoa Kỳ; США; أمريكا|أميركا
Russia; ロシア; 러시아; 俄国|俄羅斯|俄方; ; ; ; ; ; ; РФ; روسيا
China; 中国; 중국; 中国|中國|中方; ; ; ; ; Cina|China|Tiongkok; ; КНР; الصين
North Korea; 北朝鮮; 북한|조선민주주의인민공화국; 朝鲜|北韓; ; ; ; ; Korut; Bắc Triều Tiên|CHDCND Triều Tiên; КНДР|Северная Корея|Северной Кореи; كوريا الشمالية
South Korea; 韓国; 한국; 韩国|南韓|韓國; ; ; ; ; Korsel; ; Южная Корея|Южной Кореи|Южной Корее; كوريا الجنوبية
United Kingdom; 英国|イギリス; 영국; 英国|英國; Grande-Bretagne; Großbritannien; Gran Bretaña; Grã-Bretanha; Inggris; Anh; ; بريطانيا
Japan; 日本; 일본; 日本|日方; ; ; ; ; ; ; ;
Taiwan; 台湾; 대만|타이완; 台湾|台灣|臺灣; Taïwan; ; Taiwán; ; ; Đài Loan; Тайвань|Тайваня|Тайване|Тайванем; تايوان
Hong Kong; 香港; 홍콩; 香港; ; Hongkong; ; ; ; Hồng Kông|Hong Kong; Гонконг|Гонконга|Гонконге; هونغ كونغ
Macau; マカオ; 마카오; 澳门|澳門; ; ; ; ; ; ; Макао; ماكاو
Turkey; トルコ; 튀르키예|터키; 土耳其; Turquie; ; ; ; Turki; Thổ Nhĩ Kỳ; Турция|Турции|Турцию|Турцией; تركيا
Vietnam; ベトナム; 베트남; 越南; Vietnam|Viêt Nam; Vietnam; ; ; ; Việt Nam; Вьетнам|Вьетнама|Вьетнаме; فيتنام
"""  # noqa: E501
MORE = {
    ("United States", "th", "สหรัฐ"),
    ("United Nations", "th", "ยูเอ็น"), ("NATO", "th", "นาโต"), ("ASEAN", "th", "อาเซียน"),
    ("NATO", "it", "Nato"), ("NATO", "hi", "नाटो"), ("NATO", "fa", "ناتو"), ("NATO", "uk", "НАТО"),
    ("NATO", "tr", "NATO"),
    ("United States", "tr", "ABD"), ("United States", "uk", "США"), ("United States", "fa", "آمریکا"),
    ("United States", "hi", "अमेरिका"),
}  # fmt: skip
SKIP = {("vi", "Anh"), ("id", "AS"), ("ko", "국방부"), ("zh", "东海"), ("zh", "東海"), ("ru", "АТР")}
TOO_COMMON = {"de": {"Polen"}}


def translated() -> Iterator[tuple[str, str, str]]:
    """(canonical name, language, form)."""
    countries = yaml.safe_load((ROOT / "countries.yaml").read_text(encoding="utf-8"))
    codes = {item["name"]: countrynames.to_code(item["name"]) for item in countries}
    codes |= ORGANIZATIONS | REGIONS
    capitals = {item["name"]: item["of"] for item in yaml.safe_load((ROOT / "capitals.yaml").read_text("utf-8"))}
    for language, locales in LOCALES.items():
        for locale in map(Locale.parse, locales):
            for name, code in codes.items():
                for key in (code, f"{code}-alt-short", f"{code}-alt-variant"):
                    form = locale.territories.get(key)
                    if form and not any(char in form for char in "()،,"):
                        yield name, language, form
            zones = {zone.rpartition("/")[2].replace("_", " "): value for zone, value in locale.time_zones.items()}
            for name in capitals:
                if city := zones.get(name, {}).get("city"):
                    yield name, language, city
    yield from sorted(MORE)
    for line in EXTRA.strip().splitlines():
        name, *columns = (part.strip() for part in line.split(";"))
        for language, forms in zip(LANGUAGES, columns, strict=True):
            for form in filter(None, forms.split("|")):
                yield name, language, form


def inflected(language: str, form: str) -> list[str]:
    """The forms of a name in its language's cases, or with its particles."""
    if language in ("ru", "uk") and " " not in form and not form.isupper():
        stem = form[:-1]
        if form.endswith("ия"):
            return [form, stem + "и", stem + "ю", stem + "ей"]
        if form.endswith("ія"):
            return [form, stem + "ї", stem + "ю", stem + "єю"]
        if form.endswith("а"):
            return [
                form,
                stem + ("и" if language == "uk" or stem[-1] in "гкхжшч" else "ы"),
                stem + "е",
                stem + "у",
                stem + "ой",
            ]
        if form.endswith("й"):
            return [
                form,
                stem + "я",
                stem + "ю",
                stem + ("ем" if language == "ru" else "єм"),
                stem + ("е" if language == "ru" else "ї"),
            ]
        if form[-1] in "бвгджзклмнпрстфхцчш":
            return [form, form + "а", form + "у", form + "ом", form + "е"]
    if language == "ar":
        together = "لل" + form[2:] if form.startswith("ال") else "ل" + form
        return [form, "و" + form, "ب" + form, together]
    return [form]


def main() -> int:
    entries: dict[str, dict[str, list[str]]] = {}
    owner: dict[tuple[str, str], str] = {}
    for path in sorted(ROOT.glob("*.yaml")):
        for item in yaml.safe_load(path.read_text(encoding="utf-8")) if path.name != "languages.yaml" else ():
            aliases = item.get("aliases", [])
            for name in item.get("names", [item.get("name")]):
                owner["", name] = name
            for language, forms in aliases.items() if isinstance(aliases, dict) else [("", aliases)]:
                for form in forms:
                    owner[language, form] = item["name"]
    for name, language, whole in translated():
        for form in inflected(language, whole):
            short = len(form) < 2 or (len(form) < 3 and form.isascii() and not form.isupper())
            if short or (language, form) in SKIP or form in TOO_COMMON.get(language, ()):
                continue
            other = owner.get(("", form)) or owner.setdefault((language, form), name)
            if other == name and owner.get(("", form)) != name:
                forms = entries.setdefault(name, {}).setdefault(language, [])
                if form not in forms:
                    forms.append(form)
    lines = [
        "# Names in other languages, added to the entries of the other files. Written by docs/gazetteer/languages.py,",
        "# from CLDR (Unicode licence) by way of the package babel, and by hand; edit that, not this.",
    ]
    for name, languages in sorted(entries.items()):
        lines += [f"- also: {yaml.safe_dump(name, allow_unicode=True).splitlines()[0]}", "  aliases:"]
        for language, forms in languages.items():
            key = f'"{language}"' if language == "no" else language
            lines.append(
                f"    {key}: {yaml.safe_dump(forms, allow_unicode=True, default_flow_style=True, width=10**6).strip()}"
            )
    (ROOT / "languages.yaml").write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(len(entries), sum(len(forms) for languages in entries.values() for forms in languages.values()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
