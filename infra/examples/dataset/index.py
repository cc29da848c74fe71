"""The example's own step: makes a customer data set, puts it on S3 and says what share of it is anomalous."""

import csv
import io
import os
import random
import statistics
from datetime import datetime, timedelta, timezone

import boto3

ROWS = 1000


def handler(event, context):
    """`{"name", "seed", "odd_percent", "wait_seconds"}` to a report, and a deadline for who waits after it."""
    random.seed(event.get("seed", 1))
    odd = event.get("odd_percent", 7)
    spends = [random.gauss(100, 15) * (9 if random.uniform(0, 100) < odd else 1) for _ in range(ROWS)]
    # Robust against what it looks for: median and quartiles hardly move with a few odd rows.
    low, middle, high = statistics.quantiles(spends, n=4)
    flagged = sum(abs(spend - middle) > 3 * (high - low) for spend in spends)

    text = io.StringIO()
    rows = csv.writer(text)
    rows.writerow(["customer", "spend"])
    rows.writerows([number, f"{spend:.2f}"] for number, spend in enumerate(spends))
    key = f"incoming/{event['name']}.csv"
    boto3.client("s3").put_object(Bucket=os.environ["BUCKET"], Key=key, Body=text.getvalue().encode())

    deadline = datetime.now(timezone.utc) + timedelta(seconds=event["wait_seconds"])
    share = 100 * flagged / ROWS
    return {
        "name": event["name"],
        "key": key,
        "share": share,
        "share_text": f"{share:.1f} %",
        "rows": ROWS,
        "flagged": flagged,
        "deadline": deadline.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
