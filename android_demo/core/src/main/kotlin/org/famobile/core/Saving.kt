package org.famobile.core

import java.io.IOException
import java.io.OutputStream

/**
 * Write a document that was made for this, or leave none: it is removed again when writing fails, for
 * example because the storage is full.
 *
 * @throws UserMessage saying that nothing was saved.
 */
fun saveWhole(open: () -> OutputStream?, remove: () -> Unit, write: (OutputStream) -> Unit) {
    try {
        (open() ?: throw IOException("it cannot be opened")).use(write)
    } catch (error: Exception) {
        runCatching(remove) // what matters is why it could not be written
        throw UserMessage("nothing was saved (${error.message}); free some storage, or choose another place", error)
    }
}
