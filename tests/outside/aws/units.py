"""What DynamoDB bills for the calls that passed the proxy, in on-demand request units.

Neither our code nor the emulator says: sizes and units are computed here by the DynamoDB developer guide, "DynamoDB item
sizes and formats", "DynamoDB read and write operations" and "Provisioned throughput considerations for global secondary
indexes". A write is billed by the larger of what was and what is there, per KB; each index that changes, on top: once for
an entry that comes or goes, twice for one that moves. A strongly consistent read is billed per 4 KB, an eventually
consistent one half; both of them also when nothing is found. A write whose condition fails is billed for what is there.
"""

import base64
from math import ceil

from proxy import Call

KB = 1024


def size_of(value: dict) -> int:
    """Of an attribute's value, in bytes."""
    [(kind, held)] = value.items()
    match kind:
        case "S":
            return len(held.encode())
        case "N":
            digits = held.lstrip("-").replace(".", "").strip("0") or "0"
            return (len(digits) + 1) // 2 + 1 + held.startswith("-")
        case "B":
            return len(base64.b64decode(held))
        case "BOOL" | "NULL":
            return 1
        case "L":
            return 3 + sum(1 + size_of(each) for each in held)
        case "M":
            return 3 + sum(1 + len(name.encode()) + size_of(each) for name, each in held.items())
    raise ValueError(f"no size is known of the type {kind}")


def item_size(item: dict) -> int:
    return sum(len(name.encode()) + size_of(value) for name, value in item.items())


class Meter:
    """Reads units off calls. It must have seen every write of the tables it knows; `tables` are their descriptions."""

    def __init__(self, tables: list[dict]):
        self.keys = {}
        self.indexes = {}
        for table in tables:
            name = table["TableName"]
            self.keys[name] = [key["AttributeName"] for key in table["KeySchema"]]
            indexes = table.get("GlobalSecondaryIndexes", [])
            assert all(index["Projection"]["ProjectionType"] == "KEYS_ONLY" for index in indexes), "only keys are projected"
            self.indexes[name] = [[key["AttributeName"] for key in index["KeySchema"]] for index in indexes]
        self.items: dict[tuple, dict] = {}

    def __call__(self, call: Call) -> None:
        """Notes the units in the call."""
        if call.service == "dynamodb":
            call.kind, call.units = self.measure(call)

    def measure(self, call: Call) -> tuple[str, float]:
        """`write` or `read`, and how many units."""
        asked = call.json()
        if call.status >= 500 or (call.status == 400 and b"ConditionalCheckFailed" not in call.answer):
            return "write", 0.0
        match call.action:
            case "PutItem" | "DeleteItem":
                return "write", self.write(asked, call.status == 200)
            case "GetItem":
                return "read", read([call.answered().get("Item")], asked.get("ConsistentRead"))
            case "BatchGetItem":
                [(table, keys)] = asked["RequestItems"].items()
                found = call.answered()["Responses"].get(table, [])
                missing = [None] * (len(keys["Keys"]) - len(found))
                return "read", sum(read([item], keys.get("ConsistentRead")) for item in found + missing)
            case "Query" | "Scan":
                assert "FilterExpression" not in asked or call.action == "Scan", "what a filter drops is billed and not seen here"
                return "read", read(call.answered().get("Items", []), asked.get("ConsistentRead"))
        raise ValueError(f"nothing is known of what {call.action} costs")

    def write(self, asked: dict, done: bool) -> float:
        table = asked["TableName"]
        new = asked.get("Item")
        key = (table, *(str((new or asked["Key"])[name]) for name in self.keys[table]))
        old = self.items.get(key)
        if not done:
            return per_kb(old)
        units = max(per_kb(old), per_kb(new))
        for names in self.indexes[table]:
            before, after = entry(old, names), entry(new, names)
            if before != after:
                units += (before is not None) + (after is not None)
        if new is None:
            self.items.pop(key, None)
        else:
            self.items[key] = new
        return units


def per_kb(item: dict | None) -> int:
    return max(1, ceil(item_size(item) / KB)) if item else 1


def entry(item: dict | None, names: list[str]) -> list | None:
    """An item's place in an index of keys alone, which is far below a KB."""
    return [item[name] for name in names] if item and all(name in item for name in names) else None


def read(items: list[dict | None], consistent: bool | None) -> float:
    size = sum(item_size(item) for item in items if item)
    return max(1, ceil(size / (4 * KB))) * (1 if consistent else 0.5)
