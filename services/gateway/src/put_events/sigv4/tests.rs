//! The examples of AWS's own test suite ("aws-signing-test-suite", v4, header form), and what is no signature. The
//! examples are of a service "service" at noon of 2015-08-30, and sign no target.

use super::*;

const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const SCOPE: &str = "Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request";

struct Example {
    headers: &'static [(&'static str, &'static str)],
    body: &'static str,
    signed: &'static str,
    signature: &'static str,
}

const DATED: [(&str, &str); 2] = [("host", "example.amazonaws.com"), ("x-amz-date", "20150830T123600Z")];

const EXAMPLES: [(&str, Example); 4] = [
    (
        "post-vanilla",
        Example {
            headers: &DATED,
            body: "",
            signed: "host;x-amz-date",
            signature: "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
        },
    ),
    (
        "post-header-value-case",
        Example {
            headers: &[DATED[0], ("my-header1", "VALUE1"), DATED[1]],
            body: "",
            signed: "host;my-header1;x-amz-date",
            signature: "cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d",
        },
    ),
    (
        "post-vanilla, beside a header that is not signed",
        Example {
            headers: &[DATED[0], DATED[1], ("x-other", "not signed")],
            body: "",
            signed: "host;x-amz-date",
            signature: "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
        },
    ),
    (
        "post-x-www-form-urlencoded",
        Example {
            headers: &[
                ("content-type", "application/x-www-form-urlencoded"),
                DATED[0],
                ("content-length", "13"),
                DATED[1],
                ("x-amz-content-sha256", "9095672bbd1f56dfc5b65f3e153adc8731a4a654192329106275f4c7b24d0b6e"),
            ],
            body: "Param1=value1",
            signed: "content-length;content-type;host;x-amz-content-sha256;x-amz-date",
            signature: "d3875051da38690788ef43de4db0d8f280229d82040bfac253562e56c3f20e0b",
        },
    ),
];

fn map(headers: &[(&'static str, &str)]) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.append(*name, value.parse().expect("a value"));
    }
    map
}

fn of(example: &Example) -> Signed {
    Signed {
        key_id: "AKIDEXAMPLE".into(),
        at: "2015-08-30T12:36:00Z".parse().expect("a time"),
        signature: example.signature.into(),
        region: "us-east-1".into(),
        service: "service".into(),
        headers: example.signed.split(';').map(str::to_owned).collect(),
    }
}

fn verify(signed: &Signed, secret: &str, headers: &HeaderMap, body: &str) -> Result<(), CallError> {
    signed.verify(secret, &Method::POST, &Uri::from_static("/"), headers, body.as_bytes())
}

#[test]
fn the_examples_of_aws_are_verified_and_no_bent_one_is() {
    for (name, example) in &EXAMPLES {
        let (signed, headers) = (of(example), map(example.headers));
        assert_eq!(verify(&signed, SECRET, &headers, example.body), Ok(()), "{name}");
        assert!(verify(&signed, "another secret", &headers, example.body).is_err(), "{name}");
        assert!(verify(&signed, SECRET, &headers, "another body").is_err(), "{name}");
        // The date is read apart, and only when there is one.
        for header in example.signed.split(';').filter(|header| *header != "x-amz-date") {
            let name = header::HeaderName::try_from(header).expect("a name");
            let [mut bent, mut twice, mut without] = [headers.clone(), headers.clone(), headers.clone()];
            bent.insert(&name, "bent".parse().expect("a value"));
            twice.append(&name, "more".parse().expect("a value"));
            without.remove(&name);
            for (what, headers) in [("bent", bent), ("twice", twice), ("removed", without)] {
                assert!(verify(&signed, SECRET, &headers, example.body).is_err(), "{name} {what}");
            }
        }
        let get = signed.verify(SECRET, &Method::GET, &Uri::from_static("/"), &headers, example.body.as_bytes());
        let elsewhere = signed.verify(SECRET, &Method::POST, &Uri::from_static("/x"), &headers, example.body.as_bytes());
        assert!(get.is_err() && elsewhere.is_err(), "{name}");
        for at in ["2015-08-30T12:36:01Z", "2015-08-31T12:36:00Z"] {
            let other = Signed { at: at.parse().expect("a time"), ..signed.clone() };
            assert!(verify(&other, SECRET, &headers, example.body).is_err(), "{name} at {at}");
        }
        for place in 0..64 {
            let digit = if &signed.signature[place..=place] == "0" { "1" } else { "0" };
            let mut bent = signed.clone();
            bent.signature.replace_range(place..=place, digit);
            assert!(verify(&bent, SECRET, &headers, example.body).is_err(), "{name}: digit {place}");
        }
    }
}

const TARGET: (&str, &str) = ("x-amz-target", "AWSEvents.PutEvents");

fn read(authorization: &str, more: &[(&'static str, &str)]) -> Result<Signed, CallError> {
    let mut headers = map(&[DATED[0], DATED[1], TARGET]);
    headers.insert("authorization", authorization.parse().expect("a value"));
    for (name, value) in more {
        headers.append(*name, value.parse().expect("a value"));
    }
    Signed::read(&Uri::from_static("/"), &headers)
}

#[test]
fn only_a_whole_signature_is_read() {
    let signature = format!("Signature={}", "a".repeat(64));
    let good = format!("AWS4-HMAC-SHA256 {SCOPE}, SignedHeaders=host;x-amz-date;x-amz-target, {signature}");
    let signed = read(&good, &[]).expect("a signature");
    assert_eq!(
        (signed.key_id.as_str(), signed.region.as_str(), signed.service.as_str()),
        ("AKIDEXAMPLE", "us-east-1", "service")
    );
    assert_eq!(read(&good.replace(", ", ","), &[]), Ok(signed), "as older clients write it");
    let code = |read: Result<Signed, CallError>| read.expect_err("refused").code;
    for bad in [
        good.replace("AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256"),
        good.replace("AWS4-HMAC-SHA256 ", "AWS4-HMAC-SHA256"),
        good.replace(&signature, "Signature=abc"),
        good.replace(&signature, &signature.to_uppercase()),
        good.replace(&format!(", {signature}"), ""),
        format!("{good}, {signature}"),
        format!("{good}, Extra=1"),
        good.replace("/aws4_request", ""),
        good.replace("/us-east-1/", "/"),
        good.replace("host;", ""),
        good.replace("x-amz-date;", ""),
        good.replace(";x-amz-target", ""),
        good.replace("host;x-amz-date", "x-amz-date;host"),
        good.replace("host;", "host;host;"),
        good.replace("host;", "Host;"),
        good.replace("SignedHeaders=", "SignedHeaders=authorization;"),
    ] {
        assert_eq!(code(read(&bad, &[])), "IncompleteSignatureException", "{bad}");
    }
    // What means something has to be signed when it is there.
    for more in [("x-amz-content-sha256", "00"), ("x-amz-security-token", "t")] {
        assert_eq!(code(read(&good, &[more])), "IncompleteSignatureException", "{more:?}");
    }
    for twice in [("authorization", good.as_str()), ("x-amz-date", "20150830T123600Z")] {
        assert_eq!(code(read(&good, &[twice])), "IncompleteSignatureException", "{twice:?} twice");
    }
    assert_eq!(code(read(&good.replace("20150830", "20150831"), &[])), "InvalidSignatureException");
    assert_eq!(code(read(&good.replace("/20150830/", "//"), &[])), "InvalidSignatureException");
    let by_query = Uri::from_static("/?X-Amz-Algorithm=AWS4-HMAC-SHA256");
    assert!(is_signed(&by_query, &HeaderMap::new()));
    assert_eq!(code(Signed::read(&by_query, &HeaderMap::new())), "IncompleteSignatureException");
}

#[test]
fn a_signature_holds_for_five_minutes_either_way_and_for_its_service() {
    let signed = of(&EXAMPLES[0].1);
    let at = |text: &str| text.parse().expect("a time");
    for (now, says) in [
        ("2015-08-30T12:30:59Z", Some("not yet current")),
        ("2015-08-30T12:31:00Z", None),
        ("2015-08-30T12:36:00Z", None),
        ("2015-08-30T12:41:00Z", None),
        ("2015-08-30T12:41:01Z", Some("expired")),
        ("2026-08-30T12:36:00Z", Some("expired")),
    ] {
        let checked = signed.check_scope("service", at(now)).err();
        assert_eq!(checked.as_ref().map(|error| error.code), says.map(|_| "InvalidSignatureException"), "{now}");
        assert!(checked.is_none_or(|error| says.is_some_and(|says| error.message.contains(says))), "{now}");
    }
    let other = signed.check_scope("events", at("2015-08-30T12:36:00Z")).expect_err("another service");
    assert!(other.message.contains("'events'"));
}

#[test]
fn a_header_that_is_no_text_is_refused_and_nothing_panics() {
    let example = &EXAMPLES[1].1;
    let mut headers = map(example.headers);
    headers.insert("my-header1", header::HeaderValue::from_bytes(b"\xff\xfe").expect("bytes"));
    assert!(verify(&of(example), SECRET, &headers, "").is_err());
    for date in ["20150830T123600", "2015-08-30T12:36:00Z", "20150830T126000Z", "99999999T999999Z", "", "20150830T12360 Z"] {
        assert_eq!(read_date(date), None, "{date:?}");
    }
}
