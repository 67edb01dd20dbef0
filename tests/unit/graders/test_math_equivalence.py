"""Which answers mean the same as a reference, by family; each pair is (reference, answer)."""

from __future__ import annotations

import pytest

from tests.in_prove import a_third_in_each_run
from tunedrop.graders.math.expected import expected_answers
from tunedrop.graders.math.verdict import judge

SAME: dict[str, list[tuple[str, str]]] = {
    "signs, separators, decimals": [
        ("-5", "-5"), ("-5", "−5"), ("7425000", "7,425,000"), ("1000", "1 000"), ("1000", "1000.0"), ("0.4", ".4"),
        ("1000.99", "1,000.99"), ("1000.99", "1000,99"), ("1,22", "1.22"), ("0,111", "0.111"), ("10000", r"10{,}000"),
        ("10000", r"10,\!000"), ("34650", r"\boxed{34,\!650}"), ("11111111100", r"11,\! 111,\! 111,\! 100"),
        ("14916", r"14 {, }916"), ("1,000,000", "10^6"), ("3", "3.000"), ("+3", "3"), ("3", "+3"), ("0", "-0"),
    ],
    "money, percent, units": [
        (r"\$5", "5"), ("5", r"\$5"), (r"\$0.50", "0.5"), (r"\$32{,}348", "32348"), ("18.9", r"\boxed{\$18.90}"),
        (r"28\%", "28 percent"), (r"28\%", "28 pct"), (r"28\%", "28"), (r"28\%", "0.28"), ("0.28", r"28\%"),
        ("5", r"5\%"),
        ("1/4", r"25\%"), (r"28\%", r"\boxed{28 percentage}"), (r"28\%", r"$\boxed{28}$ percent"),
        ("10", "10 square units"),
        ("10", r"10\text{ cm}^{2}"), ("10", "10weeks"), (r"15\mbox{ cm}^2", "15"), ("10", "10 cm^2"),
        ("90", r"90^{\circ}"),
        ("90", "90 degrees"), (r"90^\circ", "90°"), ("5 miles", "5"), ("5", "5 km/h"), (r"0.5\text{ m}", r"\frac12"),
        ("1.5", r"\frac{3}{2}\text{ hours}"), ("24", r"24\text{ ways}"), ("10", r"\approx 10"),
        ("864", "864 square inches"),
        ("1500000", "1.5 million"), ("24", "2 dozen"), ("5000", "$5k"), ("2.50", "2 dollars and 50 cents"),
    ],
    "fractions, mixed numbers, repeating decimals": [
        ("1/2", r"\frac12"), ("0.5", r"\dfrac{1}{2}"), (r"\frac{8}{3}", r"\tfrac83"), (r"\frac{9}{20}", r"\frac 9{20}"),
        (r"\frac{3}{2}", "1.5"), (r"\frac{3}{2}", r"1\frac{1}{2}"), ("1 1/2", "1.5"), (r"2\frac58", "2.625"),
        ("40/9", "4 4/9"),
        ("-40/9", "-4 4/9"), ("9004/9", "1 000 4/9"), ("2.5", "2½"), ("1/2", "½"), (r"\frac{1}{2}", r"\frac{2}{4}"),
        (r"\frac{-1}{2}", r"-\frac{1}{2}"), (r"0.\overline{3}", r"\frac{1}{3}"), (r"0.1\overline{6}", "1/6"),
        ("1/3", "0.333..."), ("1/3", "0.333333"), (r"\frac{1}{12}", "0.0833333333333333"), (r"\frac{2}{3}", "0.6667"),
        (r"\frac{1}{3}", r"\cfrac{1}{3}"), ("1/3", r"\frac{1}{3}."),
    ],
    "powers, roots, scientific notation": [
        (r"10^{-3}", "0.001"), ("0.000001", "10^{-6}"), ("120000", "1.2e5"), ("120000", r"1.2 \times 10^5"),
        (r"\frac{1}{432}", r"2.314814814815 \times 10^{-3}"), (r"\sqrt{3}", r"\sqrt3"), (r"2\sqrt{3}", r"\sqrt{12}"),
        ("4", r"\sqrt{16}"),
        (r"\frac{\sqrt{2}}{2}", r"\frac{1}{\sqrt{2}}"), (r"\frac{5\sqrt{42}}{27}", r"\frac{10\sqrt{10.5}}{27}"),
        (r"\sqrt[3]{2}", "2^{1/3}"), ("-2", r"\sqrt[3]{-8}"), ("4.123105625617661", r"\sqrt{17}"),
        (r"40\pi", "125.663"), ("2π", r"2\pi"),
        (r"5\sqrt{2}", "5√2"), ("x^2", "x²"), ("2^6 * 3^5", "2^6 3^5"), ("1024", "2^10"), ("e^{2}", "e^2"),
        (r"\log_{2} 3", r"\frac{\log 3}{\log 2}"), (r"-\sqrt[3]{2}", r"\sqrt[3]{-2}"),
        (r"\sqrt[3]{10^{300}}", "10^{100}"),
    ],
    "expressions": [
        ("(x+1)^2", "x^2+2x+1"), ("-x^2+1", "1-x^2"), (r"\frac{x+2}{7}", r"\frac{x}{7}+\frac{2}{7}"),
        ("2k+2", "2(k+1)"),
        (r"\tan^2(y)+1", r"\sec^2(y)"), (r"\sin^2 x", r"1-\cos^2 x"), (r"\sec x", r"\frac1{\cos x}"),
        (r"2 \sin b \cos a", r"2\cos a\sin b"),
        ("n(n+1)/2", r"\frac{n^2+n}{2}"),
        (r"\frac{\sqrt{\sqrt{11}+5}}{15+2\sqrt{33}}", r"\frac{\sqrt{5+\sqrt{11}}}{2\sqrt{33}+15}"),
        (r"\left(x-2\right)\left(x+2\right)", "(x-2)(x+2)"), ("1+2i", "i(2-i)"), (r"\frac{1}{2}i", "i/2"),
        (r"\frac34i", r"\frac{3}{4}i"),
        ("5!", "120"), (r"\binom{5}{2}", "10"), (r"|x-2|", "|2-x|"),
        (r"\lfloor n/2 \rfloor", r"\left\lfloor \frac{n}{2} \right\rfloor"),
        (r"x\sqrt{x}", "x^{3/2}"), (r"\sqrt{a}\sqrt{b}", r"\sqrt{ab}"),
        (r"\tfrac23 +\frac1{72}", r"\\dfrac{2}{3} +\frac{1}{72}"),
        (r"\sum_{k=0}^{n-1} F_k F_{n-k}", r"\sum_{k=0}^{n-1} F_{n-k} F_k"), ("x + x", "2 * x"),
        ("x^2y^2", "x**2*y**2"), (r"\ln 2", "log(2)"), ("1", r"\log 10"),
        (r"\frac{v_0}{r_0} \frac{1}{(1+r/r_0)^{3/2}}", r"\frac{v_0 \cdot (\frac{r_0}{r+r_0})^{0.5}}{(r + r_0)}"),
    ],
    "functions by their names": [
        ("5", r"\max(3, 5)"), ("3", r"\min(3, 5)"), ("6", r"\gcd(12, 18)"), ("12", r"\operatorname{lcm}(4, 6)"),
        ("5", r"\max\limits (3, 5)"), (r"\arcsin x", r"\sin^{-1} x"), (r"\cos x", r"\operatorname{cos} x"),
        ("-2", r"\det\begin{pmatrix}1&2\\3&4\end{pmatrix}"), ("1/8", "2^-3"), ("8", "2^+3"),
        ("5300000", "five million three hundred thousand"), (r"2\quadx", "2x"),
        (r"2\sin x\cos x", r"\sin 2x"), (r"\sin 2\pi x", r"\sin(2\pi x)"),
        (r"\lim_{n\to\infty} a_n", r"\lim\limits_{n\to\infty} a_n"),
        (r"\sum_{k=0}^n F_k", r"\sum\limits_{k=0}^{n} F_k"), ("12", r"\operatorname {lcm}(4,6)"),
    ],
    "± stands for both": [
        ("1, -1", r"x = \pm 1"), (r"x \ne \pm 1", r"|x| \ne 1"), (r"y = \pm 5x", "y = -5x, y = 5x"),
        (r"x^2 = \pm 1", r"x^2 = \mp 1"), (r"(\pm 1, 2)", "(1, 2) and (-1, 2)"), (r"(\pm 1, \pm 2)", r"(\pm 1, \pm 2)"),
        (r"\pm \infty", r"\infty, -\infty"), (r"\sin(\pm x)", r"\pm\sin x"),
        (r"\mathbb{R} \setminus \{-1, 1\}", r"\mathbb{R} \setminus \{\pm 1\}"),
        (
            r"\begin{pmatrix}\pm 1\\2\end{pmatrix}",
            r"\begin{pmatrix}1\\2\end{pmatrix}, \begin{pmatrix}-1\\2\end{pmatrix}",
        ),
    ],
    "unions of intervals": [
        (r"(-\infty, 0) \cup (0, \infty)", r"(0, \infty), (-\infty, 0)"),
        (r"(0, \infty) \cup (-\infty, 0)", r"x \ne 0"),
        ("[0,3]", r"[0,2] \cup [1,3]"), ("(0,3]", r"(0,3) \cup (1,3]"), ("(0,3]", r"(0,1) \cup [1,3] \cup (1,3)"),
        (r"[0,5] \setminus \{1\}", r"[0,1) \cup (1,5]"), ("[[1,2],[3,4]]", r"\begin{pmatrix}1&2\\3&4\end{pmatrix}"),
        (r"[0,1) \cup (2,3]", "[0,1) U (2,3]"), (r"(0,\sqrt{2}) \cup (3,4)", r"0<x<\sqrt{2} \text{ or } 3<x<4"),
        (r"(-\infty,-1) \cup (-1,1) \cup (1,\infty)", r"|x| \ne 1"), (r"x \ne 1, x \ne 3", r"|x-2| \ne 1"),
        (r"(-\infty,0) \cup (0,1) \cup (1,\infty)", r"x \ne 0, 1"), (r"x \ne 0, 1", r"x \ne 1 \text{ and } x \ne 0"),
    ],
    "lists and sets": [
        ("1, 2, 3", "1, 3, 2"), ("-2,1", "1, -2"), ("19, 46, and 82", r"19, 46, \text{ and } 82"),
        ("3,4", "$3$ and $4$"),
        (r"12\text{ and }13", "12 and 13"), (r"\{2,3\}", "3, 2"), (r"1 \pm \sqrt{19}", r"1-\sqrt{19}, 1+\sqrt{19}"),
        (r"\pm 2021", "{-2021, 2021}"),
        (r"\{1\pm\sqrt{5},-2\}", r"\{-2, 1-\sqrt5, 1+\sqrt5\}"), ("5,7", r"x=5 \text{ or } x=7"),
        ("{1,2,3,4}", r"{1,3} \cup {2,4}"),
        (r"{1,3} \cup {2,4}", "{1,2,3,4}"), (r"\{1,2,3\} \cap \{2,3,4\}", "{2,3}"),
        (r"\boxed{1}\boxed{2}", r"\boxed{1,2}"),
        (r"\{(1,2),(3,4)\}", "(1,2) and (3,4)"), (r"\emptyset", r"\varnothing"), (r"\text{(A)},\text{(C)}", "A, C"),
        ("n=1, 2, 3", "1, 2, 3"),
    ],
    "tuples, vectors, matrices": [
        ("(1,2)", "1,2"), ("1,2", "(1,2)"), (r"(1,\frac{9}{2})", "(1,4.5)"), ("(2,3)", r"\left(2,\,3\right)"),
        (r"\begin{pmatrix}1\\2\end{pmatrix}", r"\begin{pmatrix}1\\2\\\end{pmatrix}"),
        ("x = 1, y = 2, z = 3", "1, 2, 3"),
        ("a=1,b=2", "(1,2)"), (r"\begin{pmatrix} 1 \\ 2 \end{pmatrix}", r"\begin{bmatrix} 1 \\ 2 \end{bmatrix}"),
        (r"\begin{pmatrix} 1 \\ 2 \end{pmatrix}", "(1, 2)"), (r"\begin{matrix} \frac12 \\ 1 \end{matrix}", "[0.5, 1]"),
        (
            r"\begin{pmatrix}6 & 8 \\ 10 & 12\end{pmatrix}",
            r"\begin{pmatrix}1 & 2 \\ 3 & 4\end{pmatrix} + \begin{pmatrix}5 & 6 \\ 7 & 8\end{pmatrix}",
        ),
        (r"\begin{pmatrix}1 & 2 \\3 & 4\end{pmatrix}", r"\left[\begin{array}{cc}1 & 2 \\3 & 4\end{array}\right]"),
        (r"\begin{pmatrix}1/2 \\ 1\end{pmatrix}", r"\frac{1}{2}\begin{pmatrix}1 \\ 2\end{pmatrix}"),
        (r"\langle 1, 2 \rangle", "(1,2)"),
        (r"\begin{cases} a+b=1 \\ a-b=3 \end{cases}", r"\left\{\begin{array}{l} a+b=1 \\ a-b=3\end{array}\right."),
        (r"\begin{cases} a+b=\frac12 \\ a-b=3 \end{cases}", r"\begin{cases} a+b=0.5\\ a-b=3\end{cases}"),
        ("(3,-1)", "(3, -1)"),
    ],
    "intervals and inequalities": [
        ("[0,1)", "[0, 1)"), (r"(-\infty,5)", r"(-\infty, 5)"), (r"x \in [-2,7]", "[-2,7]"), ("[2,3]", r"x\in[2,3]"),
        (r"-2 \le x \le 7", "[-2,7]"),
        ("x > 5", r"(5,\infty)"), (r"x \ge 3", r"[3,\infty)"),
        (r"x < -1 \text{ or } x > 2", r"(-\infty,-1) \cup (2,\infty)"),
        (r"(0,9) \cup (9,36)", r"(9,36)\cup(0,9)"),
        (r"[-1, -\frac{1}{2}) \cup (0, 1)", r"[-1, -\tfrac12) \cup (0,1)"), (r"x \leq 5", r"5 \geq x"),
        ("x < 1", "-x > -1"), (r"\{x \mid x > 5\}", "x > 5"), ("x != 3", r"x \neq 3"),
        ("(1,2)", "1 < x < 2"), (r"(5,\infty)", "x > 5"), ("f(2) < f(1) < f(4)", "f(4) > f(1) > f(2)"),
        (r"(\frac{3}{5},\frac{8}{3}]", "(0.6,2.66667]"), (r"\{-1\} \cup [0,7)", r"[0,7)\cup\{-1\}"),
        (r"x > \sqrt{2}", r"\sqrt{2}x > 2"), ("ix > 1", "2ix > 2"),
    ],
    "equations and assignments": [
        ("5", "x=5"), ("x=5", "5"), ("x=5", "y=5"), ("f(x) = 2x + 3", "2x + 3"), ("2x+3", "y=2x+3"),
        ("2x+4y-3=0", r"y=-\frac{1}{2}x+\frac{3}{4}"),
        ("34x+45y=20", "-34x-45y=-20"), ("x^2/4 + y^2/3 = 1", "x^2/16 + y^2/12 = 1/4"), ("11", "x = 5+6 = 11"),
        ("1/3", r"x = 1/3 \approx 0.33"),
        ("x = 11", r"x\approx11"), ("101", "a+2z = 2z + a = 101"), (r"\angle A = 60^\circ", "60"),
        ("D = (0, 1)", "(0, 1)"), ("5", r"\text{Area} = 5"), (r"\{1,2\}", r"\{x, y\} = \{1,2\}"),
        ("72", "48 + 24 = 72"),
    ],
    "words, letters, other notations": [
        (r"\text{Evelyn}", "evelyn"), (r"\text{(A)}", "A"), ("A", r"\text{A}"), ("C", "(C)"),
        ("Monday", "**Monday**"), (r"\text{June }20", "June 20"),
        ("ellipse", "The answer is an ellipse."), (r"\text{even}", "even"), ("No", r"\text{No}"), ("2", "two"),
        ("25", "twenty-five"),
        ("12:30", "12:30"), ("3:2", "6:4"), ("204_5", "204_{5}"), ("204_5", "204"), ("4210_{7}", "4210_7"),
        (r"\infty", r"\infty"), (r"\text{13}", "13"),
        (r"x \equiv 3 \pmod{7}", r"x \equiv 3 \pmod{7}"), (r"\mathbb{R}", r"$\mathbb{R}$"),
    ],
}  # fmt: skip

DIFFERENT: dict[str, list[tuple[str, str]]] = {
    "numbers": [
        ("72", "71"), ("72", "720"), ("72", "7.2"), ("72", "-72"), ("5", "-5"), ("12", "1,2"), ("1,2", "1.2"),
        ("12.5", "125"), ("1,234", "1, 234"),
        ("32349", "32, 349"), ("0.28", "28"), ("28/100", "28"), ("28", "28/100"), (r"\frac{1}{3}", "0.33"),
        (r"4\pi", "12.57"), (r"\sqrt{2}", "1.4"),
        (r"\frac{22}{7}", r"\pi"), ("4", "4 4/9"), ("4", "4 4/0"), ("139/90", "11/10 4/9"), ("1/2", "-1/2"),
        ("1", r"\frac{1}{0}"), ("0", r"\frac{0}{0}"),
        ("10^{100}", "10^{100}+1"), (r"\frac{1}{2004!}", r"\frac{1}{2006!}"),
        (r"\frac{1}{2^{99}}", r"\frac{1}{2^{98}}"), ("2", "2^{10}."),
        ("4", r"4\sqrt{2}"), ("2", r"\frac{1+\sqrt{5}}{2}"), (r"1\sqrt{19}", "1"), ("3", r"3\pi"),
        ("16386.16", "16386.17"), ("3", "3:1"), ("1/4", "0.2500001"), (r"\frac{1}{0}", "1.0000"), ("1+i", "1.4142"),
        ("204_5", "2*04_5"), ("5", "5*2_5"),
    ],
    "one of the two that ± stands for": [
        (r"y = \pm 5x", "y = 5x"), (r"x^2 = \pm 1", "x^2 = 1"), ("2x = 5", r"3x = \pm 5"), (r"x \ne \pm 1", r"x \ne 1"),
        (r"(\pm 1, 2)", "(1, 2)"), ("x < 5", r"x < \pm 5"), ("(-5, 5)", r"-5 < x < \pm 5"),
        ("|x| < 2", r"|x \pm 1| < 2"),
        ("2", r"\max(\pm 3, 2)"), (r"1 \pm \sqrt{2}", r"1 + \sqrt{2}"),
    ],
    "expressions": [
        ("5", "5x"), ("5", "5i"), ("x", "y"), ("2x", "2y"), ("x", "|x|"), ("x^2", "x^3"), ("x+1", "x-1"),
        ("(a+5)(b+2)", "(+5)(b+2)"), ("i", "-i"), ("1+2i", "1-2i"),
        ("n!", "(n+1)!"), (r"\binom{n}{2}", r"\binom{n}{3}"), (r"2\sqrt{3}", r"3\sqrt{2}"),
        (r"1 - \frac{1}{e}", r"1 + \frac{1}{e}"),
        (r"\sum_{k=0}^{n-1} F_k", r"\sum_{k=0}^{n-2} F_k"), ("ab", "ac"), (r"\log_2 8", r"\log 8"), ("6", r"2 \cdot 4"),
    ],
    "lists, tuples, intervals": [
        ("3,4", "3"), ("3", "3,4"), ("4, 12, 2", "10, 4, 2"), ("1, 2, 3", "1, 2, 3, ..."), (r"\pm 2021", "2021"),
        ("(1,2)", "(2,1)"), ("(1,2)", "[1,2]"),
        ("[0,1)", "(0,1)"), ("(0,9)", "[0,9)"), ("[-3,2]", "(-3,2)"), ("[1, 2)", "[x, y)"), ("(3,1)", "{1,3}"),
        (r"\{1,2\}", "(1,2)"), ("[1, 2, 3]", "(1, 3, 2)"),
        ("D = (0, 1)", "D = (0, 1.5)"), ("1", "-[0,1)"), (r"\infty", r"-\infty"), ("0", r"\emptyset"), ("(3,4)", "34"),
        (r"\begin{pmatrix}1&2\\3&4\end{pmatrix}", r"\begin{pmatrix}1&2\\3&5\end{pmatrix}"),
        (r"\begin{pmatrix}1\\2\end{pmatrix}", r"\begin{pmatrix}2\\1\end{pmatrix}"),
    ],
    "equations of three parts": [("x=1=y", "x=2=y"), ("x=1=y", "y"), ("x+y=1=z", "x+y=z")],
    "equations and inequalities": [
        ("5", "x=6"), ("7 = 11a+c", "11a+c"), ("2x + z = 1", "1"), ("a^2 + b = 0", "0"),
        ("a+2z = 2z + a = 101", "101"), ("x > 5", "x < 5"), (r"x \geq 5", r"x \leq 5"),
        (r"x \ge 3", "x > 3"), ("x < 1", "x > -1"), ("5x - 7y + 4 = 0", "x + y + 2 = 0"),
        (r"\sin(x)=\frac{42}{59}", r"\cos(x)=\frac{42}{59}"),
        ("72", r"x \ge 72"), ("0x = 0", "x = 0"), ("x - x = 0", "x - 2 = 0"), ("ix > 1", "-x > i"),
        ("x/0 = 1", "x = 1"),
    ],
    "what has no value": [
        ("1", r"\det 5"), ("1", r"\det x"), ("1", r"\gcd(1/2, 3/4)"), ("1", r"\log(1, 2)"), ("1", r"\max(x, \pi)"),
        ("1", r"\sin"), ("1", r"\sin_2 3"), ("1", "()"), ("1", r"\begin{foo}1\end{foo}"),
        ("1", r"\begin{pmatrix}1&2\\3\end{pmatrix}"), ("5", "5+"), ("5", "x ="), ("5", "x = = 5"),
        ("1", r"\frac{1}"), ("1", r"\cup 1"), ("1", r"(0,1) \cup (1,2) \cap (0,3)"), ("(1,2)", "(1,,2)"), ("5", ",,"),
        ("5", r"\frac{5 \text{ and } 6}{2}"), ("5", r"5 \end{x}"), ("0", r"\frac{1}{0}"), ("5", "x" * 3_000),
    ],
    "unions of other intervals": [
        ("[0,3]", r"[0,1] \cup [2,3]"), (r"[0,5] \setminus \{1\}", r"[0,5] \setminus (1,2)"),
        (r"[0,5] \setminus \{1\}", r"[0,5] \setminus \{i\}"), ("(-5,5)", "|x^2| < 5"), ("(i,2)", r"(i,2) \cup (1,2)"),
        ("|x| > 2", "|x| > 2i"), ("2x = 3", r"2x = \infty"), ("(1,3)", "((1,2),3)"), ("((1,2),3)", "1 < x < 3"),
        ("x > 0, y > 0", "x > 0"), ("(0,5)", "x > 0, y < 5"), ("(0,5)", "x > 0, x < i"), ("(1/0, 2)", "x < 2"),
        ("(0,5)", r"(0,5) \setminus \{x\}"), ("(-1,1)", "|5| < 1"), ("(-1,1)", r"|\sqrt{x}| < 1"),
        ("(-1,1)", "|ix| < 1"),
        ("(-1,1)", "|x| < y"), (r"x \ne 0, 1", r"x \ne 1, 2"), (r"|x| \ne 1", r"x \ne 1"),
        (r"x \notin (0,i)", r"x \le 0"),
    ],
    "words and notations": [
        ("Monday", "Tuesday"), ("Monday", "Monday or Tuesday"), (r"\text{Evelyn}", "Evelyn or Anna"), ("even", "odd"),
        ("A", "B"), ("a", "b"), ("true", "false"),
        ("12:00", "1:00"), ("204_5", "54"), ("11_2", "3"), ("1112112_3", "1112122_3"), (r"\mathbb{R}", r"\mathbb{Q}"),
        ("2", "AZYUK2A"),
        (r"x \equiv 3 \pmod 7", r"x \equiv 4 \pmod 7"),
    ],
}  # fmt: skip


def is_right(reference: str, answer: str) -> bool:
    return any(judge(answer, expected).correct for expected in expected_answers(reference))


def pairs(table: dict[str, list[tuple[str, str]]]) -> list[object]:
    return [pytest.param(*pair, id=f"{family}: {pair}") for family, row in table.items() for pair in row]


@pytest.mark.parametrize(("reference", "answer"), pairs(SAME))
def test_the_same_value_in_another_form_is_right(reference: str, answer: str) -> None:
    assert is_right(reference, answer)
    assert is_right(reference, f"So the answer is $\\boxed{{{answer}}}$." if "boxed" not in answer else answer)


@pytest.mark.parametrize(("reference", "answer"), pairs(DIFFERENT))
def test_another_value_is_wrong_however_near_its_form(reference: str, answer: str) -> None:
    assert not is_right(reference, answer)
    assert not is_right(reference, f"So the answer is $\\boxed{{{answer}}}$.")


@pytest.mark.parametrize("reference", a_third_in_each_run(pair[0] for row in SAME.values() for pair in row))
def test_a_reference_is_right_itself(reference: str) -> None:
    assert is_right(reference, reference)
    assert is_right(
        reference, f"The answer is:\n\\[\n\\boxed{{{reference}}}\n\\]" if "boxed" not in reference else reference
    )
