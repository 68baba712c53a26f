package org.famobile.core

import java.io.File
import java.io.IOException
import java.io.InputStream

/** The files of a bundle, wherever they lie: a folder, or an app's assets. */
interface BundleFiles {
    /** Names below the bundle, with forward slashes. */
    fun names(): List<String>

    @Throws(IOException::class)
    fun open(name: String): InputStream

    fun bytes(name: String): ByteArray = try {
        open(name).use { it.readBytes() }
    } catch (error: IOException) {
        throw UserMessage("the bundle's $name cannot be read (${error.message}); copy the bundle again", error)
    }

    fun text(name: String): String = bytes(name).toString(Charsets.UTF_8)
}

class FolderFiles(private val folder: File) : BundleFiles {
    override fun names(): List<String> =
        folder.walkTopDown().filter { it.isFile }.map { it.relativeTo(folder).invariantSeparatorsPath }.toList()

    override fun open(name: String): InputStream = File(folder, name).inputStream()
}
