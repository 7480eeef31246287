// Ranges of time as people say them, in the reader's zone.

export interface Range {
	from: Date;
	to: Date;
}

const midnight = (date: Date, days = 0): Date => new Date(date.getFullYear(), date.getMonth(), date.getDate() + days);
/** Monday of the week. */
const monday = (date: Date, weeks = 0): Date => midnight(date, -((date.getDay() + 6) % 7) + 7 * weeks);

export function rangeOf(name: string, now: Date): Range {
	const hour = new Date(now);
	hour.setMinutes(0, 0, 0);
	const before = new Date(hour.getTime() - 3_600_000);
	switch (name) {
		case "hour":
			return { from: hour, to: now };
		case "lastHour":
			return { from: before, to: hour };
		case "yesterday":
			return { from: midnight(now, -1), to: midnight(now) };
		case "week":
			return { from: monday(now), to: now };
		case "lastWeek":
			return { from: monday(now, -1), to: monday(now) };
		case "month":
			return { from: new Date(now.getFullYear(), now.getMonth(), 1), to: now };
		case "year":
			return { from: new Date(now.getFullYear(), 0, 1), to: now };
		default:
			return { from: midnight(now), to: now };
	}
}
