"""One build, from an uploaded file to a report. The clean parent: it parses no byte of a tenant.

inspect   locked process: format, version, imports, without loading
load      locked process of the scikit-learn that wrote the file: unpickles once, lowers to a draft
          plan, asks scikit-learn at probe rows
verify    fresh locked process: builds the plan, compares, measures, writes the plan file
"""

import asyncio
import contextlib
import os
import shutil
import time
from collections.abc import AsyncIterator, Collection
from pathlib import Path
from typing import Any, Final

from controlplane.builder import validate
from controlplane.builder.environments import Environments, Tell, Unavailable
from controlplane.builder.explain import Failure, failure_of, suspicious
from controlplane.builder.foreign import Foreign, version_of
from controlplane.builder.report import Limits, Outcome, Report
from controlplane.builder.warm import Ended, Warm, WarmError
from runtime.plan import Cost, PlanError, load
from runtime.plan.signature import Signature, from_json

_CONCURRENT: Final = 2


class Builder:
    """Builds uploads, keeping a warm process so that a small model takes well under a second.

    pandas        have the warm process import it; one that builds once had better not
    process       a warm process that was begun before; closed with the builder
    environments  of other scikit-learn versions; None: their models are refused
    """

    def __init__(
        self,
        limits: Limits,
        *,
        warm: bool = True,
        pandas: bool = True,
        environments: Environments | None = None,
        process: Warm | None = None,
    ) -> None:
        self.limits, self._keep_warm = limits, warm
        self.warm = process or Warm(pandas=pandas)
        self._foreign = Foreign(environments, pandas=pandas)
        self._free = asyncio.Semaphore(_CONCURRENT)

    async def start(self) -> None:
        """Import scikit-learn in the warm process now; without this the first build does."""
        if self._keep_warm:
            await self.warm.start()

    async def build(self, source: Path, work: Path, tell: Tell | None = None) -> Report:
        """Build the file `source` in the folder `work`, which the caller deletes afterwards.

        Never raises for a bad model; WarmError when the host cannot build at all. `tell` is told
        in words what takes long.
        """
        async with self._free:
            started = time.perf_counter()
            try:
                run, report = await self._run(source, work, tell)
            except WarmError:  # it died, not for the model: once more in a new one
                run, report = await self._run(source, work, tell)
            run.facts["seconds"]["total"] = round(time.perf_counter() - started, 4)
            return report

    async def _run(self, source: Path, work: Path, tell: Tell | None) -> "tuple[_Run, Report]":
        run = _Run(self, source, work, tell)
        try:
            return run, await run.report()
        finally:
            run.clean()

    async def close(self) -> None:
        """End the warm processes and every build."""
        await self._foreign.close()
        await self.warm.close()

    @contextlib.asynccontextmanager
    async def loader(self, versions: Collection[str], tell: Tell | None) -> AsyncIterator[Warm]:
        """Lend the process that loads a file in which these versions stand; raises Unavailable."""
        version = version_of(versions, possible=self._foreign.possible)
        if version is None:
            yield self.warm
            return
        async with self._foreign.process(version, tell) as warm:
            yield warm


async def build(
    source: Path, work: Path, limits: Limits, environments: Environments | None = None
) -> Report:
    """Build one file without keeping anything warm; never raises for a bad model."""
    builder = Builder(limits, warm=False, environments=environments)
    try:
        return await builder.build(source, work)
    finally:
        await builder.close()


class _Run:
    """One build: its folder, and what is known so far."""

    def __init__(self, builder: Builder, source: Path, work: Path, tell: Tell | None) -> None:
        self._builder, self._limits = builder, builder.limits
        self._source, self._work, self._tell = source, work, tell
        self.facts: dict[str, Any] = {"seconds": {}}

    async def report(self) -> Report:
        try:
            return await self._steps()
        except Failure as failure:
            return Report(
                Outcome.FAILED, reason=failure.reason, advice=failure.advice, **self.facts
            )

    def clean(self) -> None:
        """Remove every role's folder; the checked plan lies above them."""
        for role in ("inspect", "load", "verify"):
            shutil.rmtree(self._work / role, ignore_errors=True)

    async def _steps(self) -> Report:
        loaded = await self._loaded(plan=True)
        if loaded.get("plan") is not True:
            return self._fallback(validate.text(loaded, "fallback_because"), loaded)
        draft = self._plain("load", "draft", self._limits.file_bytes)
        try:
            checked = await self._role("verify", draft, self._provenance())
        finally:
            os.close(draft)
        refused = validate.text(checked, "refused")
        if refused is not None:
            # The draft does not answer as scikit-learn does: how is it served without?
            for role in ("inspect", "load"):
                shutil.rmtree(self._work / role)
            loaded = await self._loaded(plan=False)
            return self._fallback(f"the plan was refused: {refused}", loaded)
        return self._planned(checked)

    async def _loaded(self, *, plan: bool) -> dict[str, Any]:
        """Look into the file, and load it with the scikit-learn that wrote it and no other."""
        source = os.open(self._source, os.O_RDONLY | os.O_CLOEXEC)
        try:
            limits = {"most": self._limits.decompressed_bytes, "ratio": self._limits.ratio}
            found = await self._role("inspect", source, limits)
            if isinstance(found.get("compression"), str):
                plain = self._plain("inspect", "raw", self._limits.decompressed_bytes)
                os.close(source)
                source = plain
            started = time.perf_counter()
            async with self._builder.loader(validate.names(found, "versions"), self._tell) as warm:
                self.facts["seconds"]["prepare"] = round(time.perf_counter() - started, 4)
                return await self._role("load", source, {"plan": plan}, warm)
        except Unavailable as error:
            raise Failure(error.reason, error.advice) from error
        finally:
            os.close(source)

    async def _role(
        self, role: str, source: int, arguments: dict[str, Any], warm: Warm | None = None
    ) -> dict[str, Any]:
        started = time.perf_counter()
        folder = self._work / role
        warm = warm or self._builder.warm
        ended = await warm.run(role, source, folder, arguments, self._limits)
        self.facts["seconds"][role] = round(time.perf_counter() - started, 4)
        result = self._result(folder, ended)
        self._remember(result, ended)
        failure = failure_of(role, ended, result, self._limits, self.facts.get("imports", ()))
        if failure is not None:
            raise failure
        return result

    def _result(self, folder: Path, ended: Ended) -> dict[str, Any]:
        if ended.status != 0 or ended.stopped:
            return {}
        try:
            return validate.read_result(folder)
        except validate.Untrusted:
            return {}

    def _remember(self, result: dict[str, Any], ended: Ended) -> None:
        facts = self.facts
        imports = (*facts.get("imports", ()), *validate.names(result, "imports"))
        facts["imports"] = tuple(dict.fromkeys(imports))[:500]
        layers = validate.names(result, "sandbox")
        if layers:
            facts["sandbox"] = layers
        versions = validate.names(result, "versions")
        if versions:
            facts["sklearn_version"] = versions[0]
        estimator = validate.text(result, "estimator", 400)
        if estimator:
            facts["estimator"] = estimator
        facts["output"] = (facts.get("output", "") + ended.output)[: self._limits.output_bytes]

    def _plain(self, role: str, name: str, most: int) -> int:
        try:
            return validate.open_plain(self._work / role / name, most)
        except validate.Untrusted as error:
            raise suspicious(str(error), self.facts.get("imports", ())) from error

    def _provenance(self) -> dict[str, Any]:
        return {
            "sklearn_version": self.facts.get("sklearn_version"),
            "estimator": self.facts.get("estimator"),
        }

    def _fallback(self, because: str | None, loaded: dict[str, Any]) -> Report:
        return Report(
            Outcome.FALLBACK,
            fallback_because=because or "it has no plan",
            signature=self._signature(loaded),
            **self.facts,
        )

    def _planned(self, checked: dict[str, Any]) -> Report:
        """Take the plan file over: a copy of ours, read once more by the runtime's own reader."""
        descriptor = self._plain("verify", "plan", self._limits.file_bytes)
        path = self._work / "plan"
        with os.fdopen(descriptor, "rb") as file, path.open("xb") as own:
            shutil.copyfileobj(file, own, 1 << 20)
            own.flush()
            os.fsync(own.fileno())
        try:
            plan = load(path)
        except PlanError as error:
            raise suspicious(f"the plan is not one: {error}", ()) from error
        return Report(
            Outcome.PLAN,
            signature=plan.signature,
            cost=Cost(plan.cost.c0_us, plan.cost.c1_us),
            exactness=validate.text(checked, "exactness", 20),
            families=validate.names(checked, "families"),
            plan_path=path,
            **self.facts,
        )

    def _signature(self, loaded: dict[str, Any]) -> Signature:
        try:
            return from_json(loaded["signature"])
        except (ValueError, KeyError) as error:
            raise suspicious("its signature is not one", self.facts["imports"]) from error
