//! A folder in the place of the bucket, such as a copy of it that `aws s3 sync` made.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use async_trait::async_trait;

use crate::bucket::{Bucket, BucketError};

/// A folder; its files are read and written while the caller waits.
#[derive(Debug, Clone)]
pub struct Folder(PathBuf);

impl Folder {
    /// This folder. It need not be there to be read.
    pub fn new(path: impl Into<PathBuf>) -> Folder {
        Folder(path.into())
    }

    /// The file of an object, its folder made.
    fn make_room(&self, key: &str) -> io::Result<PathBuf> {
        let path = self.0.join(key);
        fs::create_dir_all(path.parent().unwrap_or(Path::new(".")))?;
        Ok(path)
    }
}

#[async_trait]
impl Bucket for Folder {
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, BucketError> {
        match fs::read(self.0.join(key)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            read => Ok(Some(read?)),
        }
    }

    async fn has(&self, key: &str) -> Result<bool, BucketError> {
        Ok(self.0.join(key).try_exists()?)
    }

    async fn create(&self, key: &str, bytes: Vec<u8>) -> Result<bool, BucketError> {
        match OpenOptions::new().write(true).create_new(true).open(self.make_room(key)?) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
            made => Ok(made?.write_all(&bytes).map(|()| true)?),
        }
    }

    async fn put(&self, key: &str, bytes: Vec<u8>) -> Result<(), BucketError> {
        Ok(fs::write(self.make_room(key)?, bytes)?)
    }
}
