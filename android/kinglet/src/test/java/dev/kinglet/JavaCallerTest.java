package dev.kinglet;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import java.io.File;
import java.util.List;
import kotlin.coroutines.EmptyCoroutineContext;
import kotlinx.coroutines.BuildersKt;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.robolectric.RobolectricTestRunner;

/** The API as Java sees it. */
@RunWith(RobolectricTestRunner.class)
public class JavaCallerTest {
    private static Kinglet open(File file) throws InterruptedException {
        return BuildersKt.runBlocking(
                EmptyCoroutineContext.INSTANCE,
                (scope, next) -> Kinglet.open(Fixture.INSTANCE.getContext(), new ModelFile(file), Fixture.cpu, next));
    }

    @Test
    public void opensStreamsAndCloses() throws InterruptedException {
        try (Kinglet kinglet = open(Fixture.tiny().getFile())) {
            Event.Done done = BuildersKt.runBlocking(
                    EmptyCoroutineContext.INSTANCE,
                    (scope, next) -> Texts.done(kinglet.summarize("The ferry leaves at seven.", SummaryStyle.HEADLINE), next));
            assertEquals("cpu", done.getStats().getDevice());
            Classification found = BuildersKt.runBlocking(
                    EmptyCoroutineContext.INSTANCE,
                    (scope, next) -> kinglet.classify("text", List.of("a", "b"), next));
            assertEquals(2, found.getProbabilities().size());
        }
    }

    @Test
    public void catchesTheException() {
        KingletException error = assertThrows(KingletException.Io.class, () -> open(new File("no/such/model.gguf")));
        assertTrue(error.getMessage(), error.getMessage().contains("no/such/model.gguf"));
    }
}
