//! What the pool takes free of charge.

use crate::{mock::*, *};
use frame_support::assert_ok;
use gridproof_primitives::compute::checks::Figures;

const EQUAL: Figures = Figures::Exact { equal: true };

#[test]
fn a_statement_that_would_fail_is_refused_by_the_pool_with_its_reason() {
	build_and_execute(|| {
		let batch = touched_of(0, EXACT);
		let good = report_call(report_with(&batch, 1, 0, EQUAL), 1);
		let valid = authorize(good.clone()).unwrap();
		assert_eq!((valid.priority, valid.longevity, valid.provides.len()), (1_000, 64, 1));
		assert!(!Verified::<Test>::exists(), "the pool leaves no mark");
		let strange = report_call(report_with(&batch, 1, 0, EQUAL), 2);
		// The second list begins at 128; BadSignature is the fourteenth error.
		assert_eq!(authorize(strange), Err(128 + 13));
		assert_ok!(apply(good.clone()));
		assert_eq!(authorize(good), Err(128 + 9));
	});
}

#[test]
fn two_statements_about_one_check_exclude_each_other() {
	build_and_execute(|| {
		let batch = touched_of(0, EXACT);
		let tags = |figures| {
			let call = report_call(report_with(&batch, 1, 0, figures), 1);
			authorize(call).unwrap().provides
		};
		assert_eq!(tags(EQUAL), tags(Figures::Exact { equal: false }));
	});
}
