/** What a user can cause and mend: says what was given, what is allowed and what to do. */
export class UserError extends Error {
  constructor(message) {
    super(message);
    this.name = "UserError";
  }
}

/** Work that the user stopped; nothing is kept of it. */
export class Cancelled extends Error {
  constructor() {
    super("Stopped. Nothing was changed.");
    this.name = "Cancelled";
  }
}
