"""Names of the invented province An Hải: communes of today, communes and districts of before 2025. Data only.

No list of a real province is used; single names may happen to exist somewhere, as every plausible Vietnamese name does.
"""

from __future__ import annotations

import unicodedata

PROVINCE_CODE = "99"
PROVINCE_NAME = "An Hải"
ISLANDS_NAME = "Ngọc Sa"
REFORM_ON = "2025-07-01"

# Wards of the two urban centres, nearest to the centre first.
WARDS = (
    "Bạch Sa", "Hải Triêm", "Cửa Lân", "Tràng Vân", "Thạch Bàng", "Đồng Triêm", "Vân Lĩnh", "Bến Vàng", "Phú Sương", "Cầu Sim",
    "Nam Triền", "Hồng Thạc", "Minh Lãng", "Gò Phượng", "Lạc Triều", "An Nhuệ", "Diêm Khê", "Thanh Hào", "Đông Lãm", "Sơn Quỳnh",
)
# Communes of plain and hills.
COMMUNES = (
    "Khe Vối", "Bản Thông", "Nà Lương", "Đèo Mây", "Pò Slim", "Suối Ngàn", "Lũng Sa", "Hoành Khê", "Tiên Lâu", "Đại Thuần",
    "Vĩnh Khoái", "Yên Sát", "Quế Lạng", "Thượng Bằng", "Hạ Bằng", "Lương Quỳ", "Phong Lẫm", "Giao Triều", "Kim Diêm", "Tân Sầm",
    "Đồng Chuế", "Mai Trạch", "Hưng Sa", "Nghĩa Vọng", "Xuân Triêm", "Bình Chưởng", "Cổ Rồng", "Trà Lĩnh Hạ", "Ba Khe",
    "Thạch Lựu", "Hòa Điệp", "Long Sầm", "Mường Thản", "Phú Lạng Đoài",
)
DISTRICTS = (
    "thành phố Bạch Sa", "thị xã Đông Lãm", "huyện Khe Vối", "huyện Thượng Bằng", "huyện Giao Triều", "huyện Quế Lạng",
    "huyện Vĩnh Khoái", "huyện đảo Ngọc Sa",
)
OLD_FIRST = (
    "Bạch", "Cẩm", "Diên", "Đồng", "Giao", "Hoành", "Khe", "Lạc", "Lũng", "Mai", "Nà", "Phong", "Quỳnh", "Sa", "Thạch", "Trà",
    "Vân",
)
OLD_SECOND = ("Sầm", "Triêm", "Lẫm", "Khoái", "Thuần", "Điệp", "Lãng", "Vọng", "Nhuệ", "Lựu", "Chuế", "Ngàn")


def plain_letters(text: str) -> str:
    """The text without Vietnamese marks, as an English name or e-mail part is written ("Đông Lãm" -> "Dong Lam")."""
    stripped = unicodedata.normalize("NFD", text.replace("Đ", "D").replace("đ", "d"))
    return "".join(letter for letter in stripped if not unicodedata.combining(letter))
