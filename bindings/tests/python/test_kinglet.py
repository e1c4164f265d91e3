"""The generated Python module runs the engine: small random models, and SmolLM2 from the model cache.

    cargo xtask bindings
    PYTHONPATH=target/bindings/python python3 bindings/tests/python/test_kinglet.py [part of a name ...]
"""

import asyncio
import contextlib
import os
import pathlib
import sys
import tempfile
import threading
import time
import unittest

import kinglet_ffi as kinglet
from kinglet_ffi import (
    DeviceChoice,
    EngineOptions,
    GpuOptions,
    KingletError,
    Message,
    Notification,
    Preset,
    Role,
    Sampling,
    StopReason,
    SummarizeOptions,
    SummaryStyle,
    Tone,
    Work,
)

DATA = pathlib.Path(__file__).resolve().parents[3] / "core/tests/data"
TINY = str(DATA / "tiny/tiny-llama-q4_0.gguf")
CPU = EngineOptions(device=DeviceChoice.CPU, threads=2)
TEXT = (
    "The ferry to the island leaves at seven in the morning. Bring a coat, since the wind on deck is cold. "
    "Tickets cost four euros and are sold on board."
)


def smollm2():
    """The real model in the cache."""
    folder = os.environ.get("KINGLET_MODELS") or os.path.join(
        os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "kinglet/models"
    )
    path = os.path.join(folder, "smollm2-135m-instruct-q4_1.gguf")
    if not os.path.exists(path):
        raise AssertionError(f"{path} is missing; get it with: cargo xtask model smollm2")
    return path


def tokens(count):
    """Exactly so many tokens, always the same."""
    return Sampling(temperature=0.0, max_tokens=count, min_tokens=count)


def user(text):
    return [Message(role=Role.USER, content=text)]


async def read(stream):
    """All events of a stream."""
    events = []
    while (event := await stream.next()) is not None:
        events.append(event)
    return events


def text_of(events):
    return "".join(event.text for event in events if event.is_text())


async def finish(stream):
    """What a stream came to; its events say the same, and its end is its last."""
    events = await read(stream)
    assert [event.is_done() for event in events].count(True) == 1 and events[-1].is_done(), events
    result = events[-1].result
    assert text_of(events).strip() == result.text.strip(), events
    assert stream.stats() == result.stats
    return result


@contextlib.asynccontextmanager
async def loaded(path, options=CPU):
    engine = await kinglet.Engine.load(path, options)
    try:
        yield engine
    finally:
        await engine.shutdown()


class TinyTest(unittest.IsolatedAsyncioTestCase):
    async def test_defaults_are_the_cores(self):
        own, core = Sampling(), kinglet.sampling(Preset.STANDARD)
        for field in vars(core):
            if isinstance(getattr(core, field), float):
                self.assertAlmostEqual(getattr(own, field), getattr(core, field), places=6, msg=field)
            else:
                self.assertEqual(getattr(own, field), getattr(core, field), field)
        self.assertEqual(EngineOptions().gpu, GpuOptions())
        self.assertIsNone(EngineOptions().context)

    async def test_every_text_arrives(self):
        async with loaded(TINY) as engine:
            session = await engine.session()
            result = await finish(session.generate("One, two,", tokens(30)))
            self.assertEqual(result.stats.stop, StopReason.MAX_TOKENS)
            self.assertEqual((result.stats.tokens, result.stats.device), (30, "cpu"))
            again = await (await engine.session()).generate("One, two,", tokens(30)).next()
            self.assertTrue(result.text.startswith(again.text))

    async def test_errors_say_what_the_core_says(self):
        with self.assertRaises(KingletError.Io) as caught:
            await kinglet.Engine.load("no/such/model.gguf")
        self.assertRegex(str(caught.exception), r"^cannot read no/such/model\.gguf: No such file")
        with self.assertRaises(KingletError) as caught:
            await kinglet.Engine.load(TINY, EngineOptions(context=10**9))
        self.assertIsInstance(caught.exception, KingletError.Option)
        self.assertRegex(str(caught.exception), r"^option context: is 1000000000; give 1 to \d+$")
        async with loaded(TINY) as engine:
            stream = (await engine.session()).generate("a", Sampling(temperature=float("nan")))
            with self.assertRaises(KingletError.Option) as caught:
                await stream.next()
            self.assertIn("option temperature: is NaN; give 0", str(caught.exception))
            self.assertIsNone(await stream.next())
            self.assertIsNone(stream.stats())

    async def test_arguments_that_do_not_fit_are_refused(self):
        async with loaded(TINY) as engine:
            session = await engine.session()
            for wrong in [-1, 2**32]:
                with self.assertRaises(ValueError):
                    await session.truncate(wrong)
            with self.assertRaises(TypeError):
                engine.count_tokens(7)
            with self.assertRaises((ValueError, UnicodeError)):
                engine.count_tokens("\ud800")
            with self.assertRaises(KingletError.TokenId):
                engine.detokenize([2**32 - 1])

    async def test_cancel_midway(self):
        async with loaded(TINY) as engine:
            session = await engine.session()
            stream = session.generate("Go", tokens(180))
            first = await stream.next()
            self.assertTrue(first.is_text())
            thread = threading.Thread(target=stream.cancel)
            thread.start()
            thread.join()
            stream.cancel()
            events = await read(stream)
            self.assertEqual(events[-1].result.stats.stop, StopReason.CANCELLED)
            self.assertLess(events[-1].result.stats.tokens, 180)
            self.assertEqual((await finish(session.generate("on", tokens(3)))).stats.tokens, 3)

    async def test_a_cancelled_task_cancels_its_call(self):
        async with loaded(TINY) as engine:
            work = Work()
            task = asyncio.create_task(engine.benchmark(100, 100, 2**31, work))
            while work.progress().total == 0:
                await asyncio.sleep(0.01)
            task.cancel()
            with self.assertRaises(asyncio.CancelledError):
                await task
            self.assertTrue(work.is_cancelled())
            # The engine is free again.
            await asyncio.wait_for(finish((await engine.session()).generate("a", tokens(2))), 10)

    async def test_a_cancelled_reader_loses_nothing(self):
        async with loaded(TINY) as engine:
            busy, session = await engine.session(), await engine.session()
            first = busy.generate("Go", tokens(180))
            stream = session.generate("One, two,", tokens(10))
            # It waits for the first, which waits for its reader.
            with self.assertRaises(asyncio.TimeoutError):
                await asyncio.wait_for(stream.next(), 0.3)
            first.cancel()
            result = await asyncio.wait_for(finish(stream), 10)
            self.assertEqual(result.stats.tokens, 10)

    async def test_work_goes_on_beside_the_loop(self):
        async with loaded(TINY) as engine:
            gaps, running = [], True

            async def tick():
                while running:
                    began = time.monotonic()
                    await asyncio.sleep(0.005)
                    gaps.append(time.monotonic() - began)

            ticking = asyncio.create_task(tick())
            began = time.monotonic()
            await engine.benchmark(100, 100, 20)
            took = time.monotonic() - began
            running = False
            await ticking
            self.assertLess(max(gaps), took / 2 + 0.05, f"the loop stood still in {took:.2f} s")
            self.assertGreater(len(gaps), 2)

    async def test_a_full_queue(self):
        async with loaded(TINY) as engine:
            session = await engine.session()
            first = session.generate("Go", tokens(180))
            await first.next()
            waiting = [session.generate("a", tokens(1)) for _ in range(64)]
            with self.assertRaises(KingletError.Busy) as caught:
                session.generate("a", tokens(1))
            self.assertIn("await or cancel", str(caught.exception))
            first.cancel()
            for stream in waiting:
                await finish(stream)

    async def test_after_shutdown(self):
        engine = await kinglet.Engine.load(TINY, CPU)
        session = await engine.session()
        stream = session.generate("Go", tokens(180))
        await stream.next()
        await asyncio.gather(engine.shutdown(), engine.shutdown())
        self.assertEqual((await read(stream))[-1].result.stats.stop, StopReason.CANCELLED)
        with self.assertRaises(KingletError.Closed) as caught:
            session.generate("on", tokens(1))
        self.assertEqual(str(caught.exception), "the engine was shut down; load the model again")
        for call in [engine.session(), session.reset(), engine.classify("a", ["b"]), engine.restore("x")]:
            with self.assertRaises(KingletError.Closed):
                await call

    async def test_a_model_can_be_planned_and_inspected(self):
        plan = await kinglet.plan(TINY, CPU)
        self.assertEqual(plan.total, plan.weights + plan.kv + plan.scratch)
        info = await kinglet.inspect(TINY)
        self.assertEqual((info.architecture, info.file_bytes), ("llama", os.path.getsize(TINY)))
        async with loaded(TINY) as engine:
            self.assertEqual(engine.info(), info)
            self.assertEqual(engine.memory().weights, plan.weights)
        self.assertIsInstance(await kinglet.devices(), list)
        self.assertRegex(kinglet.version(), r"^\d+\.\d+\.\d+$")

    async def test_a_load_tells_how_far_it_is(self):
        work = Work()
        engine = await kinglet.Engine.load(TINY, CPU, work)
        self.assertEqual(work.progress().fraction, 1.0)
        await engine.shutdown()
        cancelled = Work()
        cancelled.cancel()
        with self.assertRaises(KingletError.Cancelled):
            await kinglet.Engine.load(TINY, CPU, cancelled)


class SmolLM2Test(unittest.IsolatedAsyncioTestCase):
    async def test_a_conversation(self):
        async with loaded(smollm2(), EngineOptions(device=DeviceChoice.CPU, threads=2, context=512)) as engine:
            self.assertTrue(engine.info().has_chat_template)
            session = await engine.session()
            messages = user("What is the capital of France? Answer in one word.")
            first = await finish(session.respond(messages, Sampling(temperature=0.0, max_tokens=20)))
            self.assertIn("Paris", first.text)
            self.assertEqual(first.stats.stop, StopReason.END_OF_TEXT)
            self.assertEqual(engine.count_message_tokens(messages), first.stats.prompt_tokens)
            messages += [Message(role=Role.ASSISTANT, content=first.text), *user("And of Italy?")]
            second = await finish(session.respond(messages, Sampling(temperature=0.0, max_tokens=20)))
            self.assertGreater(second.stats.cached_tokens, first.stats.prompt_tokens // 2)

    async def test_characters_are_whole(self):
        async with loaded(smollm2()) as engine:
            session = await engine.session()
            emoji, cjk = "👩‍🚀🐦🎉", "日本語の文"
            prompt = f"Copy: {emoji} {cjk}\nCopy: {emoji} {cjk}\nCopy: {emoji} {cjk}\nCopy:"
            # The model has no tokens of its own for most of these: each is several.
            self.assertGreater(engine.count_tokens(emoji), 6)
            events = await read(session.generate(prompt, Sampling(temperature=0.0, max_tokens=60, stop=["\n"])))
            pieces = [event.text for event in events if event.is_text()]
            self.assertNotIn("\ufffd", "".join(pieces))
            self.assertIn(emoji, "".join(pieces))
            self.assertIn(cjk, "".join(pieces))
            self.assertEqual(engine.detokenize(engine.tokenize(emoji + cjk)), emoji + cjk)

    async def test_save_and_restore(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "session")
            async with loaded(smollm2()) as engine:
                session = await engine.session()
                await finish(session.generate(TEXT, tokens(4)))
                await session.save(path)
                position = session.position()
                kept = (await finish(session.generate(" In the evening", tokens(12)))).text
            async with loaded(smollm2()) as engine:
                session = await engine.restore(path)
                self.assertEqual(session.position(), position)
                self.assertEqual((await finish(session.generate(" In the evening", tokens(12)))).text, kept)
                with self.assertRaises(KingletError.Saved):
                    await engine.restore(TINY)

    async def test_two_sessions_at_once(self):
        async with loaded(smollm2()) as engine:
            prompts = ["The capital of France is", "One, two, three,"]
            alone = []
            for prompt in prompts:
                alone.append((await finish((await engine.session()).generate(prompt, tokens(16)))).text)
            sessions = [await engine.session() for _ in prompts]
            streams = [session.generate(prompt, tokens(16)) for session, prompt in zip(sessions, prompts)]
            together = await asyncio.gather(*(finish(stream) for stream in streams))
            self.assertEqual([result.text for result in together], alone)
            self.assertIn("Paris", alone[0])

    async def test_tasks(self):
        async with loaded(smollm2()) as engine:
            summary = await finish(engine.summarize(TEXT))
            self.assertIn("ferry", summary.text.lower())
            self.assertLess(len(summary.text), len(TEXT))
            bullets = await finish(engine.summarize(TEXT, SummarizeOptions(style=SummaryStyle.BULLETS)))
            self.assertTrue(bullets.text.startswith("- "), bullets.text)
            rewritten = await finish(engine.rewrite("hey, cant come today", Tone.FORMAL()))
            self.assertTrue(rewritten.text)

            labels = ["positive", "negative"]
            good = await engine.classify("I love it! Best day ever.", labels)
            bad = await engine.classify("This is awful and I hate it.", labels)
            self.assertEqual((good.label, bad.label), ("positive", "negative"))
            self.assertAlmostEqual(sum(one.probability for one in good.probabilities), 1.0)
            self.assertLess(bad.stats.prompt_tokens, good.stats.prompt_tokens, "calibrated once")

            found = await engine.extract("Invoice 4711 from Acme Ltd, due on 3 May.", ["number", "company"])
            self.assertEqual([field.name for field in found.fields], ["number", "company"])
            self.assertIn("4711", [field.value for field in found.fields])
            replies = await engine.reply("Are you coming to dinner tonight?")
            self.assertEqual(len(set(replies.suggestions)), 3)

            notes = [
                Notification(app="Mail", title="Ann", text="The meeting moved to Friday at three, and lunch is on us."),
                Notification(app="Mail", title="Bob", text="Please send the figures of the last quarter before noon."),
                Notification(app="Clock", title="Alarm", text="7:00"),
            ]
            digest = await finish(engine.digest(notes))
            self.assertEqual([(group.app, group.count) for group in digest.groups], [("Mail", 2), ("Clock", 1)])

    async def test_cancelling_a_long_answer_is_quick(self):
        async with loaded(smollm2()) as engine:
            stream = (await engine.session()).respond(user("Tell me a very long story."), tokens(1000))
            await stream.next()
            began = time.monotonic()
            stream.cancel()
            result = (await read(stream))[-1].result
            self.assertLess(time.monotonic() - began, 5)
            self.assertEqual(result.stats.stop, StopReason.CANCELLED)
            self.assertLess(result.stats.tokens, 1000)


def main(wanted):
    loader = unittest.TestLoader()
    if wanted:
        loader.testNamePatterns = [f"*{part}*" for part in wanted]
    suite = loader.loadTestsFromModule(sys.modules[__name__])
    result = unittest.TextTestRunner(stream=sys.stdout, verbosity=2).run(suite)
    failed = len(result.failures) + len(result.errors)
    passed = result.testsRun - failed - len(result.skipped)
    # In the words of `cargo test`, which is how they are counted.
    print(f"test result: {'ok' if failed == 0 else 'FAILED'}. {passed} passed; {failed} failed; {len(result.skipped)} ignored;")
    return 0 if failed == 0 and passed > 0 else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
