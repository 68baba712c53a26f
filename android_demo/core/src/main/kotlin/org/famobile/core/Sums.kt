package org.famobile.core

import java.io.IOException
import java.security.MessageDigest

const val SUMS_FILE = "SHA256SUMS"

/** SHA-256 of a file, hex. */
fun sha256(files: BundleFiles, name: String): String {
    val digest = MessageDigest.getInstance("SHA-256")
    try {
        files.open(name).use { stream ->
            val buffer = ByteArray(1 shl 16)
            while (true) {
                val count = stream.read(buffer)
                if (count < 0) break
                digest.update(buffer, 0, count)
            }
        }
    } catch (error: IOException) {
        throw UserMessage("the bundle's $name cannot be read (${error.message}); copy the bundle again", error)
    }
    return digest.digest().joinToString("") { String.format("%02x", it.toInt() and 0xFF) }
}

/** @throws UserMessage naming every file that is missing, changed or not listed. */
fun checkSums(files: BundleFiles) {
    val present = files.names().toSet()
    if (SUMS_FILE !in present) throw UserMessage("the bundle has no $SUMS_FILE; export it again")
    val listed = LinkedHashMap<String, String>()
    for (line in files.text(SUMS_FILE).lines().filter { it.isNotEmpty() }) {
        listed[line.substringAfter("  ", "")] = line.substringBefore("  ")
    }
    val problems = (listed.keys - present).map { "$it is missing" } +
        (present - listed.keys - SUMS_FILE).map { "$it is not listed" } +
        (present intersect listed.keys).filter { sha256(files, it) != listed[it] }.map { "$it has another hash" }
    if (problems.isNotEmpty()) {
        throw UserMessage("the bundle is damaged: ${problems.joinToString("; ")}; copy or export it again")
    }
}
