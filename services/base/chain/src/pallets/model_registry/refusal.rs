//! Why it says no.

refusals! {
	/// Why the model registry says no.
	"ModelRegistry" {
		0 InvalidName: "the name must have 1 to 64 ASCII letters, digits and . _ - / : + @, the first a letter or digit";
		1 InvalidFactor: "the factor must be above 0 and at most 130";
		2 InvalidContext: "the context must have 1 to 16777216 tokens";
		3 InvalidDelay: "the delay must be a minute to 30 days";
		4 AlreadyExists: "the registry has this very model: change its terms, or resume it";
		5 NameTaken: "another model has this name, in upper or lower case: choose another";
		6 MaxModelsExceeded: "the registry is full: forget a model that is retired for 400 days";
		7 NotFound: "the registry does not have this model; see gridproof model list";
		8 ChangePending: "a change is announced already: wait until it holds, or call it off";
		9 Unchanged: "it is already so";
		10 NotStopped: "the model is not stopped";
		11 Retired: "the model is retired for ever: add another one";
		12 TooManyChanges: "the model was changed so often within 400 days that no more can be remembered: wait, or retire it";
		13 NothingPending: "nothing of the kind is announced, or it holds already; see gridproof model pending";
		14 NotCounted: "the model will not count by then: choose one that does";
		15 StillRemembered: "a model can be forgotten 400 days after it retired";
	}
}

impl Refusal {
	/// Can the very same call succeed later, when nothing changes but time and the state of the
	/// chain?
	pub const fn is_temporary(self) -> bool {
		match self {
			Self::MaxModelsExceeded
			| Self::ChangePending
			| Self::TooManyChanges
			| Self::StillRemembered => true,
			Self::InvalidName
			| Self::InvalidFactor
			| Self::InvalidContext
			| Self::InvalidDelay
			| Self::AlreadyExists
			| Self::NameTaken
			| Self::NotFound
			| Self::Unchanged
			| Self::NotStopped
			| Self::Retired
			| Self::NothingPending
			| Self::NotCounted => false,
		}
	}
}
