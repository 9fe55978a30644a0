"""The invented province as polygons: communes of today, those of before 1/7/2025 they were merged from, and a background layer.

The shape is fixed (its own seed, not the story's): the same province in every demo. WGS84 out, 5 decimals, coverage valid.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np
import shapely
from shapely.geometry import LineString, MultiPoint, MultiPolygon, Polygon, mapping
from shapely.geometry.base import BaseGeometry
from shapely.ops import polygonize

from data_sources.demo.fractal import Points, blob, largest_polygon, noisy_edge, rough_line
from data_sources.demo.places import (
    COMMUNES,
    DISTRICTS,
    ISLANDS_NAME,
    OLD_FIRST,
    OLD_SECOND,
    PROVINCE_CODE,
    PROVINCE_NAME,
    REFORM_ON,
    WARDS,
    plain_letters,
)

SHAPE_SEED = 20_250_701
OLD_MAINLAND = 115
NEW_MAINLAND = 49
ORIGIN = (107.45, 20.95)
KM_PER_DEGREE = (103.96, 110.72)
URBAN = (((-9.0, -5.0), 7.0), ((29.0, 8.0), 5.0))   # centre km, radius km
COAST = (
    (-44, -19), (-39, -26), (-31, -21.5), (-25, -26), (-19, -33), (-15, -29.5), (-15.5, -20), (-9, -11.5), (-4, -10), (-1, -14),
    (5, -21), (11.5, -22.5), (15, -15), (22, -11), (25, -4), (32, -4.5), (38.5, 0), (37, 8), (43.5, 13),
)
LAND_BORDER = (
    (43.5, 13), (40, 20), (33, 22.5), (31, 30), (21, 30.5), (12, 36), (2, 32), (-6, 36), (-15, 30.5), (-23, 32.5), (-28, 25),
    (-36, 23.5), (-37.5, 13), (-44, 8), (-41.5, -4), (-46, -12), (-44, -19),
)
ISLANDS = (   # centre, half length, half width (km), old commune
    ((22, -26), 5.6, 2.2, 0), ((29.5, -21), 3.4, 1.3, 1), ((34, -29.5), 2.2, 1.1, 2), ((36.5, -17), 1.9, 0.8, 1),
    ((27, -32.5), 1.5, 0.7, 3), ((16, -32), 1.7, 0.8, 3), ((40, -23.5), 1.1, 0.6, 2), ((19, -19.5), 0.9, 0.5, 4),
    ((31.5, -14), 1.0, 0.45, 4),
)


@dataclass(frozen=True)
class Area:
    """One commune (or the province): its place in time, its polygon in WGS84."""

    code: str
    name: str
    kind: str
    level: str
    parent: str
    geometry: BaseGeometry
    valid_from: str
    valid_to: str = ""
    predecessors: tuple[str, ...] = ()
    is_urban: bool = False

    @property
    def full_name(self) -> str:
        """The name with its kind: "phường Bạch Sa"."""
        return f"{self.kind} {self.name}"


@dataclass(frozen=True)
class Geography:
    """The 50 communes, about 120 old ones, old districts as (code, full name), the province, and the background layer."""

    communes: tuple[Area, ...]
    old_communes: tuple[Area, ...]
    districts: tuple[tuple[str, str], ...]
    province: Area
    context: dict[str, Any]


@lru_cache(maxsize=1)
def geography() -> Geography:
    """The province. About a second the first time, then kept."""
    rng = np.random.default_rng(SHAPE_SEED)
    coast = rough_line(np.array(COAST, float), 0.19, rng)
    border = rough_line(np.array(LAND_BORDER, float), 0.11, rng)
    mainland = largest_polygon(np.vstack([coast, border[1:]]))
    cells = _mainland_cells(mainland, rng)
    islands = [blob(centre, along, across, rng.uniform(0.3, 0.9), rng) for centre, along, across, _ in ISLANDS]
    groups = _merge_groups(cells, rng)
    old, new = _named_areas([_to_wgs84(cell) for cell in cells], groups, _centres(cells), [_to_wgs84(i) for i in islands])
    whole = shapely.union_all([area.geometry for area in new])
    province = Area(PROVINCE_CODE, PROVINCE_NAME, "tỉnh", "province", "", whole, REFORM_ON)
    districts = tuple((f"{PROVINCE_CODE}{n}", name) for n, name in enumerate(DISTRICTS, 1))
    return Geography(new, old, districts, province, _context(rng, coast, mainland))


def areas_geojson(areas: Iterable[Area]) -> dict[str, Any]:
    """A FeatureCollection with code, name, fullName, nameEn, kind, level, parent, population, validFrom, validTo, predecessors."""
    return {"type": "FeatureCollection", "features": [_area_feature(area) for area in areas]}


def _area_feature(area: Area) -> dict[str, Any]:
    properties = {
        "code": area.code, "name": area.name, "fullName": area.full_name[0].upper() + area.full_name[1:],
        "nameEn": plain_letters(area.name), "kind": area.kind, "level": area.level, "parent": area.parent,
        "population": _inhabitants(area), "validFrom": area.valid_from, "validTo": area.valid_to, "predecessors": list(area.predecessors),
    }
    return {"type": "Feature", "id": area.code, "properties": properties, "geometry": _geometry(area.geometry)}


def _inhabitants(area: Area) -> int | None:
    """Invented like the rest, by the code alone; a province has the sum of its communes, which the reader makes."""
    if area.level != "commune":
        return None
    digits = int("".join(letter for letter in area.code if letter.isdigit()) or "0")
    return (18_000 if area.is_urban else 7_000) + 310 * (digits * 37 % 41)


def _geometry(shape: BaseGeometry) -> dict[str, Any]:
    return dict(mapping(shapely.transform(shape, lambda xy: np.round(xy, 5))))


def _mainland_cells(mainland: Polygon, rng: np.random.Generator) -> list[Polygon]:
    """Tile the mainland with OLD_MAINLAND noisy Voronoi cells, small in the towns."""
    sites = _spread_sites(mainland, rng)
    edges = _voronoi_edges(sites)
    lines = [LineString(noisy_edge(a, b, *_inner(a, b, sites[list(owners)]), rng)) for a, b, owners in edges]
    cells = [_outline(number, edges, lines) for number in range(len(sites))]
    nodes = shapely.union_all([*lines, mainland.exterior], grid_size=0.001)
    faces = [face for face in polygonize(nodes) if mainland.contains(face.representative_point())]
    return _assign(faces, cells)


def _spread_sites(mainland: Polygon, rng: np.random.Generator) -> Points:
    """Centres by three rounds of Lloyd over a sample dense in the towns: even enough, not regular."""
    sample: Points = rng.uniform((-47, -35), (45, 37), (40_000, 2))
    inside = np.asarray(shapely.contains_xy(mainland, sample[:, 0], sample[:, 1]))
    sample = sample[inside]
    density = 0.05 + 0.035 * (sample[:, 1] < 5)
    for centre, radius in URBAN:
        density += np.exp(-(((sample - centre) ** 2).sum(1)) / radius**2)
    chosen = np.asarray(rng.random(len(sample)) < density)
    return _centroids(sample[chosen], OLD_MAINLAND, 3, rng)


def _centroids(sample: Points, count: int, rounds: int, rng: np.random.Generator) -> Points:
    sites = sample[rng.choice(len(sample), count, replace=False)]
    for _ in range(rounds):
        nearest = ((sample[:, None, :] - sites[None]) ** 2).sum(2).argmin(1)
        total = np.maximum(np.bincount(nearest, minlength=count), 1)[:, None]
        sums = np.column_stack([np.bincount(nearest, sample[:, k], count) for k in (0, 1)])
        sites = np.where(sums != 0, sums / total, sites)
    return sites


def _voronoi_edges(sites: Points) -> list[tuple[Points, Points, tuple[int, ...]]]:
    """Each border once: its two ends and the one or two cells it belongs to."""
    frame = shapely.box(-90, -80, 90, 80)
    cells = shapely.voronoi_polygons(MultiPoint(sites), extend_to=frame, ordered=True).geoms
    owners: dict[tuple[tuple[float, ...], ...], list[int]] = {}
    for number, cell in enumerate(cells):
        ring = np.round(np.array(cell.exterior.coords), 6)
        for a, b in pairwise(ring):
            owners.setdefault(tuple(sorted((tuple(a), tuple(b)))), []).append(number)
    return [(np.array(a), np.array(b), tuple(found)) for (a, b), found in sorted(owners.items())]


def _inner(a: Points, b: Points, centres: Points) -> tuple[Points, Points]:
    """The two side points of a noisy edge: most of the way to the cells' centres, so cells keep a core."""
    middle = (a + b) / 2
    if len(centres) < 2:
        return middle, middle
    return middle + (centres[0] - middle) * 0.75, middle + (centres[1] - middle) * 0.75


def _outline(number: int, edges: Sequence[tuple[Points, Points, tuple[int, ...]]], lines: Sequence[LineString]) -> BaseGeometry:
    own = [line for (_, _, owners), line in zip(edges, lines, strict=True) if number in owners]
    return shapely.union_all(list(polygonize(shapely.union_all(own))))


def _assign(faces: list[Polygon], cells: list[BaseGeometry]) -> list[Polygon]:
    """Give each face to its cell; a piece cut off by the coast goes to the neighbour with the longest shared border."""
    owner = [_owner(face, cells) for face in faces]
    biggest: dict[int, int] = {}
    for number in sorted(range(len(faces)), key=lambda n: faces[n].area):
        biggest[owner[number]] = number
    merged = {cell: faces[number] for cell, number in biggest.items()}
    for number, face in enumerate(faces):
        if number not in biggest.values():
            near = max(merged, key=lambda cell: merged[cell].intersection(face).length)
            merged[near] = merged[near].union(face)
    return [merged[cell] for cell in sorted(merged)]


def _owner(face: Polygon, cells: list[BaseGeometry]) -> int:
    point = face.representative_point()
    return int(np.argmin([cell.distance(point) for cell in cells]))


def _centres(cells: Sequence[BaseGeometry]) -> Points:
    return np.array([(cell.centroid.x, cell.centroid.y) for cell in cells])


def _merge_groups(cells: list[Polygon], rng: np.random.Generator) -> list[list[int]]:
    """Group old cells into NEW_MAINLAND contiguous new ones: the smallest group joins its smallest neighbour, again and again."""
    groups = {number: [number] for number in range(len(cells))}
    shape: dict[int, BaseGeometry] = dict(enumerate(cells))
    wish = {number: cell.area ** 0.35 * rng.uniform(0.75, 1.3) for number, cell in enumerate(cells)}
    while len(groups) > NEW_MAINLAND:
        small = min(groups, key=wish.__getitem__)
        border = {other: shape[small].intersection(shape[other]).length for other in groups if other != small}
        close = [other for other, length in border.items() if length > 0.22 * max(border.values())]
        into = min(close, key=lambda other: wish[other] - 0.02 * border[other])
        groups[into] += groups.pop(small)
        shape[into] = shape[into].union(shape.pop(small))
        wish[into] += wish[small]
    return sorted(groups.values(), key=lambda members: tuple(_centres([shape_of(cells, members)])[0]))


def shape_of(cells: Sequence[BaseGeometry], members: Iterable[int]) -> BaseGeometry:
    """The union of some cells of one coverage."""
    return shapely.union_all([cells[number] for number in members])


def _named_areas(
    cells: list[BaseGeometry], groups: list[list[int]], centres: Points, islands: list[BaseGeometry],
) -> tuple[tuple[Area, ...], tuple[Area, ...]]:
    """Old and new communes with names and codes; a new one keeps the code of its biggest predecessor, as in 2025."""
    nearness = [min(float(np.hypot(*(centres[g].mean(0) - c))) / r for c, r in URBAN) for g in groups]
    order = sorted(range(len(groups)), key=lambda n: nearness[n])
    rank = {group: position for position, group in enumerate(order)}
    old: list[Area] = []
    new: list[Area] = []
    for number, members in enumerate(groups):
        place = rank[number]
        urban = place < len(WARDS)
        name = WARDS[place] if urban else COMMUNES[place - len(WARDS)]
        district = f"{PROVINCE_CODE}{_district(centres[members].mean(0), urban)}"
        parts = [_old_area(len(old) + k, cells[m], district, urban) for k, m in enumerate(members)]
        new.append(_new_area(name, "phường" if urban else "xã", parts))
        old += parts
    shapes = [MultiPolygon([s for s, spec in zip(islands, ISLANDS, strict=True) if spec[3] == k]) for k in range(5)]
    parts = [_old_area(len(old) + k, s, f"{PROVINCE_CODE}{len(DISTRICTS)}", False) for k, s in enumerate(shapes)]
    return tuple(old + parts), (*new, _new_area(ISLANDS_NAME, "đặc khu", parts))


def _old_area(number: int, shape: BaseGeometry, district: str, urban: bool) -> Area:
    name = f"{OLD_FIRST[number % len(OLD_FIRST)]} {OLD_SECOND[number % len(OLD_SECOND)]}"
    code = f"99{(number + 1) * 3:03d}"
    return Area(code, name, "phường" if urban else "xã", "commune", district, shape, "2008-01-01", "2025-06-30", (), urban)


def _new_area(name: str, kind: str, parts: Sequence[Area]) -> Area:
    main = max(parts, key=lambda part: part.geometry.area)
    shape = shapely.union_all([part.geometry for part in parts])
    before = tuple(part.code for part in parts)
    return Area(main.code, name, kind, "commune", PROVINCE_CODE, shape, REFORM_ON, "", before, kind == "phường")


def _district(at: Points, urban: bool) -> int:
    if urban:
        return 1 if at[0] < 10 else 2
    if at[1] > 14:
        return 3 if at[0] < -8 else 4
    return 5 if at[0] < -22 else 6 if at[0] < 4 else 7


def _to_wgs84(shape: BaseGeometry) -> BaseGeometry:
    """Kilometres to degrees, rounded to 5 decimals by snapping, so that shared borders stay shared."""
    return shapely.transform(shape, lambda xy: np.round(np.array(ORIGIN) + xy / np.array(KM_PER_DEGREE), 5))


def _context(rng: np.random.Generator, coast: Points, mainland: Polygon) -> dict[str, Any]:
    """Background for the offline map: sea, neighbouring land, the main river, three roads, as one FeatureCollection."""
    frame = shapely.box(-110, -95, 110, 95)
    west = [(-62, -14), (-75, -30), (-92, -36), (-110, -50)]
    east = [(52, 20), (63, 18), (78, 30), (94, 33), (110, 46)]
    shore = np.vstack([
        rough_line(np.array([*west[::-1], tuple(coast[0])], float), 0.15, rng), coast[1:],
        rough_line(np.array([tuple(coast[-1]), *east], float), 0.15, rng)[1:],
    ])
    land = Polygon([*shore, (110, 95), (-110, 95)]).buffer(0).union(mainland)
    river = [(-20, 33), (-14, 24), (-19, 16), (-11, 9), (-12, 1), (-6, -5), (-6.5, -11)]
    roads = {
        "QL.8A": [(-46, -11), (-32, -12), (-20, -8), (-9, -4), (4, -6), (17, -3), (29, 8), (43.5, 13)],
        "CT.02": [(-44, 2), (-26, 3), (-9, 5), (10, 9), (25, 14), (36, 21)],
        "ĐT.326": [(-9, -4), (-7, 12), (-2, 22), (-5, 36)],
    }
    made = [
        ("sea", "Biển Đông", frame.difference(land)), ("land", "", land),
        ("river", "Sông Lân", LineString(rough_line(np.array(river, float), 0.2, rng)[::2])),
        *(("road", name, LineString(rough_line(np.array(at, float), 0.08, rng)[::3])) for name, at in roads.items()),
    ]
    features = [
        {"type": "Feature", "properties": {"kind": kind, "name": name}, "geometry": _geometry(_to_wgs84(shape))}
        for kind, name, shape in made
    ]
    return {"type": "FeatureCollection", "features": features}
