package dev.kinglet.sample

import androidx.lifecycle.SavedStateHandle
import androidx.lifecycle.ViewModel
import dev.kinglet.sample.ui.Place
import kotlinx.coroutines.flow.StateFlow

/** Which screen is shown. */
class PlaceViewModel(private val saved: SavedStateHandle) : ViewModel() {
    val place: StateFlow<Place> = saved.getStateFlow(PLACE, Place.DIGEST)

    fun go(place: Place) {
        saved[PLACE] = place
    }

    private companion object {
        const val PLACE = "place"
    }
}
