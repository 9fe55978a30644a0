"""The demo's sensor server: OGC SensorThings 1.1, read only, with opaque next links and the dataArray format.

Source: OGC 18-088. Supported: $top, $skip, $count, $expand (nested), $filter on phenomenonTime with `and`, $orderby
phenomenonTime, $select within an expand is accepted, $resultFormat=dataArray on Observations. All else is answered 400.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from fastapi import APIRouter, Request, Response

from data_sources.demo.observations import count, data_array, page, plain, window_of
from data_sources.demo.open311 import Clock, Refused, json_answer
from data_sources.demo.stations import PROPERTIES, Station, Stream, stations, streams
from data_sources.demo.story import Story

Params = dict[str, str]
MAX_TOP = 10_000
DEFAULT_TOP = 100
WIRE_KIND = {"river": "water", "rain": "weather"}
ENTITIES = ("Things", "Locations", "Datastreams", "ObservedProperties")


def sensorthings_router(story: Story, clock: Clock) -> APIRouter:
    """The service under /sta/v1.1."""
    router = APIRouter(prefix="/sta/v1.1")

    def answered(make: Callable[[], Any]) -> Response:
        try:
            return json_answer(make())
        except Refused as fault:
            return json_answer({"code": fault.status, "type": "error", "message": fault.description}, fault.status)

    @router.get("")
    @router.get("/")
    def root(request: Request) -> Response:
        names = (*ENTITIES, "Observations")
        return json_answer({"value": [{"name": n, "url": f"{_base(request)}/{n}"} for n in names]})

    @router.get("/Observations")
    def observations(request: Request) -> Response:
        return answered(lambda: _observations(story, clock(), request, None))

    @router.get("/Datastreams({key})/Observations")
    def stream_observations(key: str, request: Request) -> Response:
        return answered(lambda: _observations(story, clock(), request, _number(key, len(streams()))))

    @router.get("/{kind}({key})")
    def one(kind: str, key: str, request: Request) -> Response:
        return answered(lambda: _one(kind, key, request))

    @router.get("/{kind}")
    def many(kind: str, request: Request) -> Response:
        return answered(lambda: _collection(kind, request))

    return router


def _base(request: Request) -> str:
    return f"{str(request.base_url).rstrip('/')}/sta/v1.1"


def _params(request: Request) -> Params:
    """The query, or what an opaque token stands for."""
    params = dict(request.query_params)
    if "$skiptoken" not in params:
        return params
    try:
        kept: Params = orjson.loads(base64.urlsafe_b64decode(params["$skiptoken"]))
        return kept
    except ValueError as error:
        raise Refused(400, "$skiptoken is not one of ours") from error


def _next_link(request: Request, params: Params, **changed: Any) -> str:
    token = base64.urlsafe_b64encode(orjson.dumps({**params, **{f"${k}": str(v) for k, v in changed.items()}})).decode()
    return f"{_base(request)}{request.url.path.split('/sta/v1.1', 1)[1]}?$skiptoken={token}"


def _whole(params: Params, name: str, default: int) -> int:
    text = params.get(name, str(default))
    if not text.isdecimal():
        raise Refused(400, f"{name} must be a whole number")
    return int(text)


def _number(key: str, count: int) -> int:
    if not key.isdecimal() or not 1 <= int(key) <= count:
        raise Refused(404, f"nothing with id {key}")
    return int(key)


def _observations(story: Story, now: datetime, request: Request, only: int | None) -> dict[str, Any]:
    params = _params(request)
    window = window_of(story, now, params, only)
    top = min(_whole(params, "$top", DEFAULT_TOP), MAX_TOP)
    rows, following = page(story, now, window, _whole(params, "$position", 0), top)
    answer: dict[str, Any] = {"@iot.count": count(story, now, window)} if params.get("$count") == "true" else {}
    if following is not None:
        answer["@iot.nextLink"] = _next_link(request, params, position=following)
    if params.get("$resultFormat") == "dataArray":
        return {**answer, "value": data_array(rows, _base(request))}
    with_stream = "Datastream" in expansions(params.get("$expand", ""))
    return {**answer, "value": [plain(*row, with_stream) for row in rows]}


def _collection(kind: str, request: Request) -> dict[str, Any]:
    makers = _makers(kind, _base(request))
    params = _params(request)
    skip, top = _whole(params, "$skip", 0), min(_whole(params, "$top", DEFAULT_TOP), MAX_TOP)
    expand = params.get("$expand", "")
    answer: dict[str, Any] = {"@iot.count": len(makers)} if params.get("$count") == "true" else {}
    if skip + top < len(makers):
        answer["@iot.nextLink"] = _next_link(request, params, skip=skip + top)
    return {**answer, "value": [make(expand) for make in makers[skip:skip + top]]}


def _one(kind: str, key: str, request: Request) -> dict[str, Any]:
    makers = _makers(kind, _base(request))
    made: dict[str, Any] = makers[_number(key, len(makers)) - 1](_params(request).get("$expand", ""))
    return made


def _makers(kind: str, base: str) -> Sequence[Callable[[str], dict[str, Any]]]:
    entities = _Entities(base)
    if kind == "Things":
        return [lambda expand, s=s: entities.thing(s, expand) for s in stations()]  # type: ignore[misc]
    if kind == "Locations":
        return [lambda expand, s=s: entities.location(s) for s in stations()]  # type: ignore[misc]
    if kind == "Datastreams":
        return [lambda expand, s=s: entities.datastream(s, expand) for s in streams()]  # type: ignore[misc]
    if kind == "ObservedProperties":
        return [lambda expand, n=n: entities.observed(n) for n in range(1, len(PROPERTIES) + 1)]  # type: ignore[misc]
    raise Refused(404, f"no collection {kind}; there are {', '.join(ENTITIES)}, Observations")


@dataclass(frozen=True)
class _Entities:
    """Stations and streams as SensorThings entities with links below `base`."""

    base: str

    def _head(self, kind: str, number: int) -> dict[str, Any]:
        return {"@iot.id": number, "@iot.selfLink": f"{self.base}/{kind}({number})"}

    def thing(self, station: Station, expand: str) -> dict[str, Any]:
        made = self._head("Things", station.number) | {
            "name": station.name, "description": station.name,
            "properties": {"kind": WIRE_KIND.get(station.kind, station.kind), "area": station.area},
        }
        wanted = expansions(expand)
        if "Locations" in wanted:
            made["Locations"] = [self.location(station)]
        if "Datastreams" in wanted:
            own = [s for s in streams() if s.station == station]
            made["Datastreams"] = [self.datastream(s, wanted["Datastreams"]) for s in own]
        return made

    def location(self, station: Station) -> dict[str, Any]:
        point = {"type": "Point", "coordinates": [station.lon, station.lat]}
        return self._head("Locations", station.number) | {
            "name": station.name, "description": "", "encodingType": "application/geo+json", "location": point,
        }

    def datastream(self, stream: Stream, expand: str) -> dict[str, Any]:
        kind = stream.property
        made = self._head("Datastreams", stream.number) | {
            "name": stream.name, "description": stream.name,
            "observationType": "http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_Measurement",
            "unitOfMeasurement": {"name": kind.unit, "symbol": kind.symbol, "definition": ""},
            "properties": {"cadence_s": 3600},
        }
        wanted = expansions(expand)
        if "Thing" in wanted:
            made["Thing"] = self.thing(stream.station, wanted["Thing"])
        if "ObservedProperty" in wanted:
            made["ObservedProperty"] = self.observed(PROPERTIES.index(kind) + 1)
        return made

    def observed(self, number: int) -> dict[str, Any]:
        found = PROPERTIES[number - 1]
        return self._head("ObservedProperties", number) | {
            "name": found.name, "definition": found.definition, "description": found.key,
        }


def expansions(text: str) -> dict[str, str]:
    """$expand taken apart on its first level: name -> inner $expand ("" without one).

    >>> expansions("Locations,Datastreams($expand=ObservedProperty)")
    {'Locations': '', 'Datastreams': 'ObservedProperty'}
    """
    parts, depth = [""], 0
    for letter in text:
        depth += (letter == "(") - (letter == ")")
        if letter == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += letter
    if depth:
        raise Refused(400, f"$expand={text}: parentheses do not match")
    found: dict[str, str] = {}
    for part in filter(None, parts):
        name, _, options = part.partition("(")
        inner = [o for o in options.removesuffix(")").split(";") if o.strip().startswith("$expand=")]
        found[name.strip()] = inner[0].strip().removeprefix("$expand=") if inner else ""
    return found
