//! Making the tables for tests and emulators. In production the template makes them, with backups
//! and deletion protection.

use std::time::Duration;

use aws_sdk_dynamodb::{
    Client,
    client::Waiters as _,
    error::BuildError,
    types::{
        AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection, ProjectionType,
        ScalarAttributeType, StreamSpecification, StreamViewType,
    },
};

use super::{
    Tables,
    fault::{failed, refused},
    layout::Index,
};
use crate::error::LedgerError;

const CREATE: &str = "create a table";
/// How long a new table may take to become active.
const PATIENCE: Duration = Duration::from_secs(60);

/// Creates both tables as the store expects them: on demand, the log with a stream of new images,
/// the views with their two indexes of keys. For tests and emulators.
///
/// # Errors
/// [`LedgerError::Refused`] when a table of the name is there.
pub async fn create_tables(client: &Client, tables: &Tables) -> Result<(), LedgerError> {
    let unbuilt = |error: BuildError| refused(CREATE, error);
    let stream = StreamSpecification::builder().stream_enabled(true).stream_view_type(StreamViewType::NewImage).build();
    let log = client
        .create_table()
        .table_name(&tables.log)
        .billing_mode(BillingMode::PayPerRequest)
        .set_attribute_definitions(Some(vec![
            attribute("pk", ScalarAttributeType::S).map_err(unbuilt)?,
            attribute("sk", ScalarAttributeType::N).map_err(unbuilt)?,
        ]))
        .set_key_schema(Some(keys("pk", "sk").map_err(unbuilt)?))
        .stream_specification(stream.map_err(unbuilt)?);
    log.send().await.map_err(failed(CREATE))?;

    let mut views = client
        .create_table()
        .table_name(&tables.views)
        .billing_mode(BillingMode::PayPerRequest)
        .attribute_definitions(attribute("pk", ScalarAttributeType::S).map_err(unbuilt)?)
        .attribute_definitions(attribute("sk", ScalarAttributeType::S).map_err(unbuilt)?)
        .set_key_schema(Some(keys("pk", "sk").map_err(unbuilt)?));
    for index in [Index::Recorded, Index::Pending] {
        let (partition, sort) = index.attributes();
        let only_keys = Projection::builder().projection_type(ProjectionType::KeysOnly).build();
        let built = GlobalSecondaryIndex::builder()
            .index_name(index.name())
            .set_key_schema(Some(keys(partition, sort).map_err(unbuilt)?))
            .projection(only_keys)
            .build();
        views = views
            .attribute_definitions(attribute(partition, ScalarAttributeType::S).map_err(unbuilt)?)
            .attribute_definitions(attribute(sort, ScalarAttributeType::S).map_err(unbuilt)?)
            .global_secondary_indexes(built.map_err(unbuilt)?);
    }
    views.send().await.map_err(failed(CREATE))?;

    for table in [&tables.log, &tables.views] {
        let active = client.wait_until_table_exists().table_name(table).wait(PATIENCE).await;
        active.map_err(|error| refused(CREATE, error))?;
    }
    Ok(())
}

fn attribute(name: &str, kind: ScalarAttributeType) -> Result<AttributeDefinition, BuildError> {
    AttributeDefinition::builder().attribute_name(name).attribute_type(kind).build()
}

fn keys(partition: &str, sort: &str) -> Result<Vec<KeySchemaElement>, BuildError> {
    [(partition, KeyType::Hash), (sort, KeyType::Range)]
        .map(|(name, kind)| KeySchemaElement::builder().attribute_name(name).key_type(kind).build())
        .into_iter()
        .collect()
}
