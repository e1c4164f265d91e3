//! Debian packages that are unpacked rather than installed: from this machine's own mirror, of any architecture, without
//! touching the system's apt.

use crate::steps::Line;
use anyhow::{Context, Result};
use std::fs;
use std::path::{Path, PathBuf};

/// An apt of its own, in a folder that goes with it.
pub struct Apt {
    folder: PathBuf,
}

impl Apt {
    /// Where this machine gets Debian's packages, and of which release.
    pub fn mirror() -> Result<(String, String)> {
        let targets = Line::new("apt-get indextargets --format").word("$(REPO_URI) $(CODENAME)");
        let targets = targets.word("Created-By: Packages").word("Origin: Debian").output()?;
        let target = targets.lines().find(|l| !l.contains("security")).context("apt knows no Debian mirror")?;
        let (mirror, release) = target.split_once(' ').context("apt names no release")?;
        Ok((mirror.into(), release.into()))
    }

    /// Reads the lists of `suites`; without any, of the release that is installed here.
    pub fn new(folder: &Path, suites: &str, architectures: &str) -> Result<Self> {
        let (mirror, release) = Self::mirror()?;
        let suites = if suites.is_empty() { &release } else { suites };
        for part in ["state/lists/partial", "cache/archives/partial", "sources.list.d", "preferences.d"] {
            fs::create_dir_all(folder.join(part))?;
        }
        fs::write(folder.join("state/status"), "")?;
        fs::write(
            folder.join("sources.list.d/debian.sources"),
            format!(
                "Types: deb\nURIs: {mirror}\nSuites: {suites}\nComponents: main\nArchitectures: {architectures}\n\
                 Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg\n"
            ),
        )?;
        let dir = folder.display();
        fs::write(
            folder.join("apt.conf"),
            format!(
                "Dir::State \"{dir}/state\";\nDir::State::status \"{dir}/state/status\";\nDir::Cache \"{dir}/cache\";\n\
                 Dir::Etc::sourcelist \"/dev/null\";\nDir::Etc::sourceparts \"{dir}/sources.list.d\";\n\
                 Dir::Etc::preferencesparts \"{dir}/preferences.d\";\nAcquire::Languages \"none\";\n\
                 Acquire::IndexTargets::deb::DEP-11::DefaultEnabled \"false\";\nAPT::Sandbox::User \"\";\n"
            ),
        )?;
        let apt = Self { folder: folder.into() };
        apt.line("apt-get -q update").run()?;
        Ok(apt)
    }

    fn line(&self, line: &str) -> Line {
        Line::new(line).env("APT_CONFIG", self.folder.join("apt.conf").display().to_string())
    }

    /// Names of packages that begin so.
    pub fn names(&self, prefix: &str) -> Result<Vec<String>> {
        let names = self.line("apt-cache pkgnames").word(prefix).output()?;
        Ok(names.lines().map(str::to_owned).collect())
    }

    /// The versions of a package.
    pub fn versions(&self, package: &str) -> Result<Vec<String>> {
        let found = self.line("apt-cache show").word(package).output()?;
        Ok(found.lines().filter_map(|l| l.strip_prefix("Version: ")).map(str::to_owned).collect())
    }

    /// Downloads `NAME`, `NAME:ARCHITECTURE` or `NAME=VERSION` and unpacks it into a new folder.
    pub fn unpack(&self, package: &str) -> Result<PathBuf> {
        let unpacked = self.folder.join(package.replace([':', '=', '/'], "-"));
        Line::new("dpkg-deb -x").path(&self.download(package)?).path(&unpacked).run()?;
        Ok(unpacked)
    }

    /// Downloads `NAME`, `NAME:ARCHITECTURE` or `NAME=VERSION`, which apt compares with what Debian has signed.
    pub fn download(&self, package: &str) -> Result<PathBuf> {
        let folder = self.folder.join(format!("{}.deb", package.replace([':', '=', '/'], "-")));
        fs::create_dir_all(&folder)?;
        self.line("apt-get -q download").word(package).inside(&folder).run()?;
        let deb = fs::read_dir(&folder)?.next().with_context(|| format!("apt-get downloaded no {package}"))??;
        Ok(deb.path())
    }
}

impl Drop for Apt {
    fn drop(&mut self) {
        // Lists of packages are large, and old tomorrow.
        let _ = fs::remove_dir_all(&self.folder);
    }
}
