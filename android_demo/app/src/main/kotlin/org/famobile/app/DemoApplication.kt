package org.famobile.app

import android.app.Application

/** Holds what outlives an activity: the work in hand and its result. */
class DemoApplication : Application() {
    val desk by lazy { Desk(this) }
}
