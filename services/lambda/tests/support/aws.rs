//! An AWS with empty tables that takes every write.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

/// The service is there and cannot, for now.
pub fn out_of_order() -> (u16, Value) {
    (500, json!({"__type": "InternalServerError", "message": "out of order"}))
}

/// Status and body.
pub fn answer(operation: &str, call: &Value) -> (u16, Value) {
    let answer = match operation {
        "Query" | "Scan" => json!({"Items": [], "Count": 0, "ScannedCount": 0}),
        "PutItem" | "GetItem" | "DeleteItem" => json!({}),
        "Encrypt" => json!({"CiphertextBlob": STANDARD.encode("sealed"), "KeyId": call["KeyId"]}),
        "GetSecretValue" if call["SecretId"] == "links" => {
            json!({"SecretString": json!({"id": 1, "key": STANDARD.encode([7; 32])}).to_string()})
        }
        "GetSecretValue" if call["SecretId"] == "slack" => {
            json!({"SecretString": json!({"bot_token": "xoxb-tests", "signing_secrets": ["of-the-tests"]}).to_string()})
        }
        "GetSecretValue" => json!({"SecretString": "an-operators-key-of-the-tests-only"}),
        _ => return (400, json!({"__type": "ValidationException", "message": "the tests do not know this call"})),
    };
    (200, answer)
}
