import { expect, test } from "vitest";
import { cid, fromHex, toHex } from "../../src/lib/bytes";
import { address, parseAddress } from "../../src/lib/ss58";
import { developmentKey } from "../../src/chain/development";

const ALICE = "0xd43593c715fdd31c61141abd04a99fd6822c8558854ccde39a5684e7a56da27d";

test("an address of this chain is the one that the command line prints", () => {
	const bob = fromHex("0x8eaf04151687736326c9fea17e25fc5287613693c912909cb226aa4794f26a48") as Uint8Array;
	expect(address(bob, 7341)).toBe("pHQbKyY67eHKNsuRboHvGKsiZenRJuB7sHP6FMh37tPk7DS3S");
});

test("the same key is found behind addresses of other chains and behind its digits", () => {
	for (const text of ["5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY", "15oF4uVJwmo4TdGW7VfQxNLavjCXviqxT9S1MgbjMNHr6Sp5", ALICE]) {
		const parsed = parseAddress(text);
		expect("account" in parsed && toHex(parsed.account)).toBe(ALICE);
	}
	expect(parseAddress("5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY")).toMatchObject({ prefix: 42 });
});

test("a wrong address says what is wrong with it", () => {
	expect(parseAddress("5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQZ")).toEqual({ fault: "checksum" });
	expect(parseAddress("5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKut")).toMatchObject({ fault: "length" });
	expect(parseAddress("0l")).toEqual({ fault: "characters" });
	expect(parseAddress("")).toEqual({ fault: "characters" });
	expect(parseAddress("0x12")).toEqual({ fault: "length" });
});

test("the development keys are the well-known ones", () => {
	expect(toHex(developmentKey("Alice").publicKey)).toBe(ALICE);
});

test("a digest becomes the address of its bytes on IPFS", () => {
	const digest = fromHex("0x583c73f94b6578fd33b8bcbba8b92fdbe520d04b03d5ed9762577e2a818d8c7e") as Uint8Array;
	expect(cid(Uint8Array.of(1, 0x55, 0x12, 0x20, ...digest))).toBe("bafkreicyhrz7ss3fpd6thof4xoulsl634uqnasyd2xwzoysxpyviddmmpy");
});
