//! Points in time (UTC, to the millisecond) and periods (ISO 8601).

use std::{fmt, str::FromStr};

use chrono::{DateTime, NaiveDate, SecondsFormat, TimeDelta, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Visitor};

/// A point in time, UTC, to the millisecond; written as `2026-11-23T04:11:21.123Z`, which sorts as
/// text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, JsonSchema)]
#[schemars(with = "DateTime<Utc>")]
pub struct Timestamp(DateTime<Utc>);

impl Timestamp {
    /// From milliseconds since 1970; `None` outside the years that chrono knows.
    pub fn from_millis(millis: i64) -> Option<Timestamp> {
        DateTime::from_timestamp_millis(millis).map(Timestamp)
    }

    /// Milliseconds since 1970.
    pub fn millis(self) -> i64 {
        self.0.timestamp_millis()
    }

    /// This long after; at the end of time it stays there.
    pub fn after(self, period: Period) -> Timestamp {
        self.0.checked_add_signed(period.0).map_or(Timestamp(DateTime::<Utc>::MAX_UTC), Timestamp::from)
    }

    /// The same as chrono's type.
    pub fn as_datetime(self) -> DateTime<Utc> {
        self.0
    }

    /// The time from `earlier` to this; negative when this is earlier.
    pub fn since(self, earlier: Timestamp) -> TimeDelta {
        self.0 - earlier.0
    }
}

impl From<DateTime<Utc>> for Timestamp {
    /// Cuts to the millisecond.
    fn from(time: DateTime<Utc>) -> Self {
        DateTime::from_timestamp_millis(time.timestamp_millis()).map_or(Timestamp(time), Timestamp)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.to_rfc3339_opts(SecondsFormat::Millis, true))
    }
}

impl FromStr for Timestamp {
    type Err = chrono::ParseError;
    fn from_str(text: &str) -> Result<Self, chrono::ParseError> {
        match as_written(text.as_bytes()) {
            Some(time) => Ok(time),
            None => DateTime::parse_from_rfc3339(text).map(|time| time.with_timezone(&Utc).into()),
        }
    }
}

/// Reads what `Display` writes, without chrono's parser for all that RFC 3339 allows: a fold of a whole log reads one or
/// two with each event. `None` for any other text, right or wrong.
fn as_written(text: &[u8]) -> Option<Timestamp> {
    let text: &[u8; 24] = text.try_into().ok()?;
    let marks = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':'), (19, b'.'), (23, b'Z')];
    if marks.iter().any(|(at, mark)| text[*at] != *mark) {
        return None;
    }
    let number = |digits: &[u8]| {
        let digit = |number: u32, digit: &u8| digit.is_ascii_digit().then(|| number * 10 + u32::from(digit - b'0'));
        digits.iter().try_fold(0, digit)
    };
    let year = i32::try_from(number(&text[..4])?).ok()?;
    let date = NaiveDate::from_ymd_opt(year, number(&text[5..7])?, number(&text[8..10])?)?;
    let (hour, minute, second) = (number(&text[11..13])?, number(&text[14..16])?, number(&text[17..19])?);
    date.and_hms_milli_opt(hour, minute, second, number(&text[20..23])?).map(|time| Timestamp(time.and_utc()))
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Text)
    }
}

/// Reads a text without keeping it.
struct Text;

impl Visitor<'_> for Text {
    type Value = Timestamp;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an RFC 3339 formatted date and time string")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Timestamp, E> {
        // What chrono's own `Deserialize` takes, which earlier builds used.
        as_written(text.as_bytes()).map_or_else(|| text.parse().map(DateTime::<Utc>::into).map_err(E::custom), Ok)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0.to_rfc3339_opts(SecondsFormat::Millis, true))
    }
}

/// A length of time as ISO 8601 writes it: `PT24H`, `P7D`, `PT1H30M`, `P2W`. Years and months are
/// not taken, since they have no fixed length.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String", extend("pattern" = r"^P(?=\d|T)(\d+W)?(\d+D)?(T(?=\d)(\d+H)?(\d+M)?(\d+S)?)?$"))]
pub struct Period(TimeDelta);

/// Says what a period looks like.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not an ISO 8601 period of weeks, days, hours, minutes and seconds such as PT24H")]
pub struct InvalidPeriod(String);

impl Period {
    /// So many seconds.
    pub const fn seconds(seconds: i64) -> Period {
        Period(TimeDelta::seconds(seconds))
    }

    /// So many hours.
    pub const fn hours(hours: i64) -> Period {
        Period(TimeDelta::hours(hours))
    }

    /// The same in seconds.
    pub fn as_seconds(self) -> i64 {
        self.0.num_seconds()
    }
}

impl FromStr for Period {
    type Err = InvalidPeriod;
    fn from_str(text: &str) -> Result<Self, InvalidPeriod> {
        let error = || InvalidPeriod(text.chars().take(40).collect());
        let rest = text.strip_prefix('P').ok_or_else(error)?;
        let (date, time) = rest.split_once('T').map_or((rest, None), |(date, time)| (date, Some(time)));
        if time == Some("") || rest.is_empty() {
            return Err(error());
        }
        let date = parts(date, &[('W', 604_800), ('D', 86_400)]).ok_or_else(error)?;
        let time = parts(time.unwrap_or_default(), &[('H', 3_600), ('M', 60), ('S', 1)]).ok_or_else(error)?;
        date.checked_add(time).and_then(TimeDelta::try_seconds).map(Period).ok_or_else(error)
    }
}

/// Sums `12H30M` by the units in their order, each at most once; `None` for anything else.
fn parts(mut text: &str, units: &[(char, i64)]) -> Option<i64> {
    let mut sum: i64 = 0;
    for (unit, seconds) in units {
        if let Some((number, rest)) = text.split_once(*unit) {
            if number.is_empty() || !number.bytes().all(|b| b.is_ascii_digit()) {
                return None;
            }
            sum = sum.checked_add(number.parse::<i64>().ok()?.checked_mul(*seconds)?)?;
            text = rest;
        }
    }
    text.is_empty().then_some(sum)
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.num_seconds();
        let (hours, minutes, rest) = (seconds / 3_600, seconds % 3_600 / 60, seconds % 60);
        f.write_str("PT")?;
        if hours > 0 {
            write!(f, "{hours}H")?;
        }
        if minutes > 0 {
            write!(f, "{minutes}M")?;
        }
        if rest > 0 || seconds == 0 {
            write!(f, "{rest}S")?;
        }
        Ok(())
    }
}

impl TryFrom<String> for Period {
    type Error = InvalidPeriod;
    fn try_from(text: String) -> Result<Self, InvalidPeriod> {
        text.parse()
    }
}

impl From<Period> for String {
    fn from(period: Period) -> String {
        period.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_are_read_and_printed() {
        for (text, seconds, printed) in [
            ("PT24H", 86_400, "PT24H"),
            ("P1D", 86_400, "PT24H"),
            ("P2W", 1_209_600, "PT336H"),
            ("P1DT1H30M5S", 91_805, "PT25H30M5S"),
            ("PT90S", 90, "PT1M30S"),
            ("PT0S", 0, "PT0S"),
        ] {
            let period: Period = text.parse().expect(text);
            assert_eq!((period.as_seconds(), period.to_string().as_str()), (seconds, printed), "{text}");
        }
        for bad in ["", "P", "PT", "24H", "P1M", "P1Y", "PT1H1H", "PT1M1H", "PT-1H", "PT1.5H", "PT99999999999999999999H", "pt1h"]
        {
            assert!(bad.parse::<Period>().is_err(), "{bad:?} was taken for a period");
        }
    }

    #[test]
    fn a_time_as_we_write_it_is_the_time_that_chrono_reads() {
        let texts =
            ["2026-11-23T04:11:21.123Z", "2024-02-29T23:59:59.999Z", "2023-02-29T00:00:00.000Z", "0000-01-01T00:00:00.000Z"];
        let odd =
            ["2026-11-23T04:11:60.123Z", "2026-13-01T00:00:00.000Z", "2026-11-23 04:11:21.123Z", "2026-11-23T24:00:00.000Z"];
        for text in texts.into_iter().chain(odd).chain(["2026-11-23T04:11:2١.123Z", "2026-11-23T04:11:21.12+Z", "", "x"]) {
            let chronos = DateTime::parse_from_rfc3339(text).map(|time| Timestamp::from(time.with_timezone(&Utc)));
            assert_eq!(text.parse(), chronos, "{text}");
            let json = serde_json::Value::from(text);
            let chronos =
                serde_json::from_value::<DateTime<Utc>>(json.clone()).map(Timestamp::from).map_err(|error| error.to_string());
            assert_eq!(serde_json::from_value::<Timestamp>(json).map_err(|error| error.to_string()), chronos, "{text}");
        }
    }

    #[test]
    fn timestamps_are_cut_to_the_millisecond_and_sort_as_text() {
        let time: Timestamp = "2026-11-23T04:11:21.123987+01:00".parse().expect("a time");
        assert_eq!(time.to_string(), "2026-11-23T03:11:21.123Z");
        assert_eq!(time.after(Period::hours(24)).to_string(), "2026-11-24T03:11:21.123Z");
    }
}
