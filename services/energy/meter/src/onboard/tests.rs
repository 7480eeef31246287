//! Tests of onboarding.

use super::*;

fn list(text: &str) -> Result<Vec<MeterSpec>, OnboardFault> {
	let folder = tempfile::tempdir().unwrap();
	let path = folder.path().join("meters.csv");
	fs::write(&path, text).unwrap();
	read_list(&path)
}

const HEADER: &str = "site,device,meter,direction,rated_power_w,seal";

#[test]
fn meters_are_read_from_csv_and_json() {
	let csv = format!("{HEADER},profile\nA,gw,1,import,25000,S-1,h0\nA,gw,2,both,9000,S-2,\n");
	let specs = list(&csv).unwrap();
	assert_eq!(specs.len(), 2);
	assert_eq!(specs[0].profile.as_deref(), Some("h0"));
	assert_eq!((specs[1].direction, specs[1].profile.clone()), (Direction::Both, None));
	let json = serde_json::to_string(&specs).unwrap();
	assert_eq!(list(&json).unwrap(), specs);
}

#[test]
fn a_line_that_is_none_is_named() {
	let line = |text: &str| match list(text) {
		Err(OnboardFault::BadFile { line: Some(line), .. }) => line,
		other => panic!("{other:?}"),
	};
	assert_eq!(line("site,device\n"), 1);
	assert_eq!(line(&format!("{HEADER}\nA,gw,1,import,25000\n")), 2);
	assert_eq!(line(&format!("{HEADER}\nA,gw,1,sideways,25000,S\n")), 2);
	assert_eq!(line(&format!("{HEADER}\n\nA,gw,1,import,-1,S\n")), 3);
	assert_eq!(line(&format!("{HEADER}\nA/B,gw,1,import,1,S\n")), 2);
	assert_eq!(line(&format!("{HEADER}\nA,gw,1,import,1,\n")), 2);
	assert_eq!(line(&format!("{HEADER}\nA,gw,1,import,1,S\nA,gw,1,export,1,T\n")), 3);
}

#[test]
fn a_device_key_is_made_once_and_belongs_to_its_meter() {
	let folder = tempfile::tempdir().unwrap();
	let keys = folder.path().join("keys");
	let name = MeterName::new("A", "gw", "1").unwrap();
	let never = |path: &Path| Err(KeyFault::PassphraseNeeded(path.display().to_string()));
	let (first, path) = device_key(&keys, &name, None, &never).unwrap();
	let (again, _) = device_key(&keys, &name, None, &never).unwrap();
	assert_eq!(first.public(), again.public());
	let other = MeterName::new("A", "gw", "2").unwrap();
	fs::copy(&path, keys.join(format!("{}.json", file_name(&other)))).unwrap();
	let fault = device_key(&keys, &other, None, &never).err().unwrap();
	assert!(fault.to_string().ends_with("is the key of A/gw/1, not of A/gw/2"), "{fault}");
}

#[test]
fn a_registry_grows_and_is_of_one_chain() {
	let folder = tempfile::tempdir().unwrap();
	let path = folder.path().join("meters.json");
	let spec = parse_line("A,gw,1,import,25000,S-1,h0").unwrap();
	let meter = |index| Onboarded {
		index,
		spec: spec.clone(),
		device_key: "00".repeat(32),
		key_file: PathBuf::from("key.json"),
		owner: "owner".to_string(),
		energy_account: "account".to_string(),
		start: Start::default(),
		was_there: false,
	};
	let genesis = H256::repeat_byte(1);
	assert_eq!(Registry::load(&path).unwrap(), None);
	Registry::add(&path, genesis, &[meter(3)]).unwrap();
	let grown = Registry::add(&path, genesis, &[meter(1), meter(3)]).unwrap();
	assert_eq!(grown.meters.iter().map(|meter| meter.index).collect::<Vec<_>>(), [1, 3]);
	assert_eq!(Registry::load(&path).unwrap(), Some(grown));
	assert!(Registry::add(&path, H256::zero(), &[meter(4)]).is_err());
}
