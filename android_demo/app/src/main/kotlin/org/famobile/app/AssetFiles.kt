package org.famobile.app

import android.content.res.AssetManager
import org.famobile.core.BundleFiles
import org.famobile.core.UserMessage
import java.io.File
import java.io.IOException
import java.io.InputStream

/** The bundle that was built into the app, below `assets/bundle`. */
class AssetFiles(private val assets: AssetManager) : BundleFiles {
    override fun names(): List<String> = below("").sorted()

    override fun open(name: String): InputStream = assets.open("$ROOT/$name")

    private fun below(folder: String): List<String> =
        assets.list("$ROOT$folder").orEmpty().flatMap { name ->
            val path = "$folder/$name"
            if (assets.list("$ROOT$path").isNullOrEmpty()) listOf(path.drop(1)) else below(path)
        }

    /**
     * The model as a file, which the runtimes map instead of reading it to the heap. It is copied once
     * for each [hash] and renamed when it is whole.
     */
    fun modelFile(name: String, hash: String, folder: File): File {
        val file = File(folder, "$hash-${name.substringAfterLast('/')}")
        if (file.isFile) return file
        folder.listFiles()?.filter { it.name.endsWith(name.substringAfterLast('/')) }?.forEach { it.delete() }
        val partial = File(folder, "${file.name}.part")
        try {
            open(name).use { from -> partial.outputStream().use { from.copyTo(it) } }
            if (!partial.renameTo(file)) throw IOException("it cannot be renamed")
        } catch (error: IOException) {
            partial.delete()
            throw UserMessage("the model cannot be copied (${error.message}); free some storage and start again", error)
        }
        return file
    }

    private companion object {
        const val ROOT = "bundle"
    }
}
