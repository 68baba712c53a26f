package org.famobile.core

/**
 * Something given from outside cannot be used. The message is shown as it stands: what was given,
 * what is allowed, and what to do.
 */
class UserMessage(message: String, cause: Throwable? = null) : Exception(message, cause)
