// Addresses of services.

/**
 * An address without the slash at its end. One that begins with a dot is beside the page: a gateway that serves it
 * is found there by whatever name the reader reached it. Empty if there is none.
 */
export function addressOf(named: string, page: string): string {
	const whole = named.startsWith(".") ? new URL(named, page).href : named;
	return whole.replace(/\/+$/, "");
}
