package org.famobile.core

import java.io.File
import java.io.InputStream

/** The bundle that the tests run on, given by -Dfa.bundle. */
val bundleFolder: File = File(
    System.getProperty("fa.bundle") ?: error("run the tests with ci/test_jvm.sh BUNDLE, which sets fa.bundle"),
)

val bundleFiles = FolderFiles(bundleFolder)

/** A bundle with some files replaced (null: removed), its sums written anew or left as they were. */
class ChangedFiles(private val changes: Map<String, ByteArray?>, sums: Boolean) : BundleFiles {
    private val newSums: ByteArray? = if (!sums) null else {
        val names = names().filter { it != SUMS_FILE }
        names.joinToString("") { "${sha256(this, it)}  $it\n" }.toByteArray()
    }

    override fun names(): List<String> =
        (bundleFiles.names() + changes.keys).distinct().filterNot { it in changes && changes[it] == null }

    override fun open(name: String): InputStream {
        if (name == SUMS_FILE && newSums != null) return newSums.inputStream()
        return changes[name]?.inputStream() ?: bundleFiles.open(name)
    }
}

fun edited(name: String, from: String, to: String, sums: Boolean = true): ChangedFiles {
    val text = bundleFiles.text(name)
    check(from in text) { "$name does not hold $from" }
    return ChangedFiles(mapOf(name to text.replaceFirst(from, to).toByteArray()), sums)
}
