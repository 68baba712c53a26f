package org.famobile.app

import android.app.Activity
import android.view.View

/**
 * A view of the layout with its type. The declared type in between serves both kinds of class library:
 * findViewById is generic since Android 8, and is not in the one that CI compiles against.
 */
inline fun <reified T : View> Activity.viewAt(id: Int): T {
    val found: View = findViewById(id)
    return found as T
}
